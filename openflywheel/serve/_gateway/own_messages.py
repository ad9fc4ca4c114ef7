"""Our own answers as Anthropic messages."""

from collections.abc import Iterator
from typing import Any

import msgspec

from openflywheel.base.nouns import Exchange
from openflywheel.serve._gateway.answered import Answered
from openflywheel.serve._gateway.intake import Request
from openflywheel.serve._gateway.own_events import about, event


def messages(request: Request, exchange: Exchange, answer: Answered, text: str) -> Iterator[bytes]:
    yield msgspec.json.encode({**_message(request, answer, text), "flywheel": about(exchange)})


def _message(request: Request, answer: Answered, text: str) -> dict[str, Any]:
    return {
        "id": request.id,
        "type": "message",
        "role": "assistant",
        "model": request.asked.model,
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": "end_turn" if text else "refusal",
        "stop_sequence": None,
        "usage": {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens},
    }


def messages_stream(request: Request, exchange: Exchange, answer: Answered, text: str) -> Iterator[bytes]:
    del exchange
    whole = _message(request, answer, text)
    yield event("message_start", message={**whole, "content": [], "stop_reason": None})
    if text:
        yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
        yield event("content_block_stop", index=0)
    stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield event("message_delta", delta=stop, usage=whole["usage"])
    yield event("message_stop")

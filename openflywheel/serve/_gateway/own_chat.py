"""Our own answers as OpenAI chat completions."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from openflywheel.base.nouns import Exchange
from openflywheel.serve._dialects import frame
from openflywheel.serve._gateway.answered import Answered
from openflywheel.serve._gateway.intake import Request
from openflywheel.serve._gateway.own_events import HANDED_OVER, about
from openflywheel.serve.extractive import SOURCE

DONE = b"data: [DONE]\n\n"


def chat(request: Request, exchange: Exchange, answer: Answered, text: str) -> Iterator[bytes]:
    message = {"role": "assistant", "content": text or None, "refusal": None if text else HANDED_OVER}
    choices = [
        {"index": i, "message": message, "logprobs": _logprobs(request, exchange), "finish_reason": "stop"}
        for i in range(request.asked.n or 1)
    ]
    fields = {"choices": choices, "usage": _usage(answer), "flywheel": about(exchange)}
    yield msgspec.json.encode({**_head(request, "chat.completion"), **fields})


def _head(request: Request, kind: str) -> dict[str, Any]:
    return {
        "id": request.id, "object": kind, "created": int(request.at), "model": request.asked.model,
    }  # fmt: skip


def _usage(answer: Answered) -> dict[str, int]:
    asked, given = answer.input_tokens, answer.output_tokens
    return {"prompt_tokens": asked, "completion_tokens": given, "total_tokens": asked + given}


def _logprobs(request: Request, exchange: Exchange) -> dict[str, Any] | None:
    """The whole label as one token, with the calibrated confidence for its probability.

    A quote has none: its confidence is a similarity.
    """
    quoted = any(verdict.check == SOURCE for verdict in exchange.verdicts)
    if not request.asked.logprobs or not exchange.output or quoted:
        return None
    sure = math.log(max(exchange.confidence, 1e-12))
    raw = list(exchange.output.encode())
    token = {"token": exchange.output, "logprob": sure, "bytes": raw, "top_logprobs": []}
    return {"content": [token], "refusal": None}


def chat_stream(request: Request, exchange: Exchange, answer: Answered, text: str) -> Iterator[bytes]:
    head = _head(request, "chat.completion.chunk")
    said = {"content": text} if text else {"refusal": HANDED_OVER}
    for i in range(request.asked.n or 1):
        delta = {"role": "assistant", **said}
        first = {"index": i, "delta": delta, "logprobs": _logprobs(request, exchange), "finish_reason": None}
        last = {"index": i, "delta": {}, "finish_reason": "stop"}
        for choice in (first, last):
            yield frame(msgspec.json.encode({**head, "choices": [choice]}))
    if (request.asked.stream_options or {}).get("include_usage"):
        yield frame(msgspec.json.encode({**head, "choices": [], "usage": _usage(answer)}))
    yield DONE

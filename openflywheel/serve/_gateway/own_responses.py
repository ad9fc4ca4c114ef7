"""Our own answers as OpenAI responses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from openflywheel.base.nouns import Exchange
from openflywheel.serve._gateway.answered import Answered
from openflywheel.serve._gateway.intake import Request
from openflywheel.serve._gateway.own_events import HANDED_OVER, about, event


def responses(request: Request, exchange: Exchange, answer: Answered, text: str) -> Iterator[bytes]:
    yield msgspec.json.encode({**_response(request, answer, text), "flywheel": about(exchange)})


def _response(request: Request, answer: Answered, text: str, status: str = "completed") -> dict[str, Any]:
    asked, given = answer.input_tokens, answer.output_tokens
    usage = {
        "input_tokens": asked, "output_tokens": given, "total_tokens": asked + given,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    done = status == "completed"
    return {
        "id": request.id,
        "object": "response",
        "created_at": request.at,
        "model": request.asked.model,
        "status": status,
        "output": [_item(request, [_content(text)])] if done else [],
        "usage": usage if done else None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": False,
        "temperature": None,
        "tool_choice": "none",
        "tools": [],
        "top_p": None,
    }


def _item(request: Request, content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"msg_{request.id}", "type": "message", "role": "assistant", "content": content,
        "status": "completed" if content else "in_progress",
    }  # fmt: skip


def _content(text: str) -> dict[str, Any]:
    if not text:
        return {"type": "refusal", "refusal": HANDED_OVER}
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def responses_stream(request: Request, exchange: Exchange, answer: Answered, text: str) -> Iterator[bytes]:
    del exchange
    part, place = _content(text), {"item_id": f"msg_{request.id}", "output_index": 0, "content_index": 0}
    empty, done = _response(request, answer, text, "in_progress"), _response(request, answer, text)
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": empty}),
        ("response.in_progress", {"response": empty}),
        ("response.output_item.added", {"output_index": 0, "item": _item(request, [])}),
        ("response.content_part.added", {**place, "part": {**part, **_blank(part)}}),
        *_deltas(part, place),
        ("response.content_part.done", {**place, "part": part}),
        ("response.output_item.done", {"output_index": 0, "item": _item(request, [part])}),
        ("response.completed", {"response": done}),
    ]
    for number, (type, fields) in enumerate(events):
        yield event(type, sequence_number=number, **fields)


def _blank(part: Mapping[str, Any]) -> dict[str, str]:
    return {"text": ""} if "text" in part else {"refusal": ""}


def _deltas(part: Mapping[str, Any], place: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    if "text" not in part:
        said = part["refusal"]
        return [
            ("response.refusal.delta", {**place, "delta": said}),
            ("response.refusal.done", {**place, "refusal": said}),
        ]
    return [
        ("response.output_text.delta", {**place, "delta": part["text"], "logprobs": []}),
        ("response.output_text.done", {**place, "text": part["text"], "logprobs": []}),
    ]

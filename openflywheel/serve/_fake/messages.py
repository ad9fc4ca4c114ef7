"""Anthropic's POST /v1/messages and /v1/messages/count_tokens."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from openflywheel.serve._fake.chat import json_wanted
from openflywheel.serve._fake.dialect import ANTHROPIC
from openflywheel.serve._fake.surface import Surface, sse
from openflywheel.serve._fake.talk import Ask, Content, Message, Reply, Tool, heard, pieces, text_of


class InputTool(Struct):
    name: str
    input_schema: dict[str, Any] = {}


class Choice(Struct):
    type: str
    name: str = ""


class Format(Struct):
    type: str
    schema: dict[str, Any] = {}


class OutputConfig(Struct):
    format: Format | None = None


class Countable(Struct, kw_only=True):
    """What both endpoints take; all other parameters are let through."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    system: Content = None
    tools: list[InputTool] | None = None
    tool_choice: Choice | None = None
    output_config: OutputConfig | None = None


class Messages(Countable, kw_only=True):
    """A request for an answer: it must say how long that may be."""

    max_tokens: Annotated[int, Meta(ge=1)]
    stream: bool | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None


def _read(request: Messages) -> Ask:
    text, choice = heard(request.messages), request.tool_choice
    form = request.output_config.format if request.output_config else None
    return Ask(
        model=request.model,
        text=text,
        characters=_characters(request),
        stream=bool(request.stream),
        limit=request.max_tokens,
        tools=[Tool(tool.name, tool.input_schema) for tool in request.tools or ()],
        must_call=choice.name if choice and choice.type in ("any", "tool") else None,
        schema=json_wanted(form.type, form.schema, text) if form else None,
    )


def _characters(request: Countable) -> int:
    return len(text_of(request.system)) + sum(len(text_of(m.content)) for m in request.messages)


def _whole(request: Messages, reply: Reply) -> dict[str, Any]:
    return {
        **_head(request, reply),
        "content": list(_blocks(reply)),
        "stop_reason": _stop(reply),
        "usage": _usage(reply, reply.output_tokens),
    }


def _head(request: Messages, reply: Reply) -> dict[str, Any]:
    """A message that has not begun."""
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(reply, 1),
    }


def _usage(reply: Reply, output: int) -> dict[str, Any]:
    return {
        "input_tokens": reply.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        "service_tier": "standard",
    }


def _stop(reply: Reply) -> str:
    return "max_tokens" if not reply.complete else "tool_use" if reply.call else "end_turn"


def _blocks(reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.text:
        yield {"type": "text", "text": reply.text}
    if reply.call:
        yield _tool_use(reply, msgspec.json.decode(reply.call.arguments))


def _tool_use(reply: Reply, given: Any) -> dict[str, Any]:
    assert reply.call is not None
    return {"type": "tool_use", "id": f"toolu_{reply.id}", "name": reply.call.name, "input": given}


def _frames(request: Messages, reply: Reply) -> Iterator[bytes]:
    for event in _events(request, reply):
        yield sse(event, event["type"])


def _events(request: Messages, reply: Reply) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": _head(request, reply)}
    yield {"type": "ping"}
    for index, block in enumerate(_blocks(reply)):
        for event in _text_events(reply) if block["type"] == "text" else _call_events(reply):
            yield {**event, "index": index}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": _stop(reply), "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": reply.output_tokens}}
    yield {"type": "message_stop"}


def _text_events(reply: Reply) -> Iterator[dict[str, Any]]:
    yield {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}
    for piece in pieces(reply.text):
        yield {"type": "content_block_delta", "delta": {"type": "text_delta", "text": piece}}


def _call_events(reply: Reply) -> Iterator[dict[str, Any]]:
    assert reply.call is not None
    yield {"type": "content_block_start", "content_block": _tool_use(reply, {})}
    for piece in pieces(reply.call.arguments):
        yield {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": piece}}


def _failed(error: dict[str, Any], number: int) -> bytes:
    del number
    return sse(error, "error")


MESSAGES = Surface(
    dialect=ANTHROPIC,
    request=msgspec.json.Decoder(Messages),
    read=_read,
    whole=_whole,
    frames=_frames,
    failed=_failed,
)
COUNT_TOKENS = Surface(
    dialect=ANTHROPIC,
    request=msgspec.json.Decoder(Countable),
    read=lambda r: Ask(model=r.model, text=heard(r.messages), characters=_characters(r), limit=0),
    whole=lambda _, reply: {"input_tokens": reply.input_tokens},
    free=True,
)

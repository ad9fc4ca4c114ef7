"""OpenAI's POST /v1/responses."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from openflywheel.serve._fake.chat import json_wanted, must_call
from openflywheel.serve._fake.dialect import OPENAI
from openflywheel.serve._fake.surface import Surface, sse
from openflywheel.serve._fake.talk import Ask, Content, Message, Reply, Tool, heard, pieces, text_of

Event = dict[str, Any]


class Item(Struct):
    """An item of the input: a message, or what a tool gave."""

    role: str = ""
    content: Content = None
    output: Content = None


class FunctionTool(Struct):
    type: str
    name: str = ""
    parameters: dict[str, Any] | None = None


class Format(Struct):
    type: str
    schema: dict[str, Any] = {}


class Text(Struct):
    format: Format | None = None


class Request(Struct):
    """The parameters that matter to a fake; all others are let through."""

    model: str
    input: str | list[Item]
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: Text | None = None


def _read(request: Request) -> Ask:
    items = [Item("user", request.input)] if isinstance(request.input, str) else request.input
    text = heard([Message(item.role, item.content) for item in items])
    form, choice = request.text.format if request.text else None, request.tool_choice
    said = sum(len(text_of(item.content)) + len(text_of(item.output)) for item in items)
    return Ask(
        model=request.model,
        text=text,
        characters=said + len(request.instructions or ""),
        stream=bool(request.stream),
        limit=request.max_output_tokens,
        tools=[Tool(t.name, t.parameters or {}) for t in request.tools or () if t.type == "function"],
        must_call=must_call(choice, choice.get("name") if isinstance(choice, dict) else None),
        schema=json_wanted(form.type, form.schema, text) if form else None,
    )


def _whole(request: Request, reply: Reply) -> dict[str, Any]:
    status = "completed" if reply.complete else "incomplete"
    return _response(request, reply, status, list(_items(reply)), _usage(reply))


def _response(
    request: Request, reply: Reply, status: str, output: list[Any], usage: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": request.instructions,
        "max_output_tokens": request.max_output_tokens,
        "metadata": {},
        "model": request.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": {"format": {"type": "text"}},
        "tool_choice": request.tool_choice or "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
    }


def _usage(reply: Reply) -> dict[str, Any]:
    return {
        "input_tokens": reply.input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": reply.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": reply.input_tokens + reply.output_tokens,
    }


def _items(reply: Reply) -> Iterator[dict[str, Any]]:
    """The output: a message, a call of a tool, or both."""
    if reply.text or not reply.call:
        status = "completed" if reply.complete else "incomplete"
        yield _message(reply, status, [_part(reply.text)])
    if reply.call:
        yield _call(reply, "completed", reply.call.arguments)


def _message(reply: Reply, status: str, content: list[Any]) -> dict[str, Any]:
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _call(reply: Reply, status: str, arguments: str) -> dict[str, Any]:
    assert reply.call is not None
    ids = {"id": f"fc_{reply.id}", "call_id": f"call_{reply.id}"}
    return {
        **ids,
        "type": "function_call",
        "status": status,
        "name": reply.call.name,
        "arguments": arguments,
    }


def _frames(request: Request, reply: Reply) -> Iterator[bytes]:
    for number, event in enumerate(_events(request, reply)):
        yield sse({**event, "sequence_number": number}, event["type"])


def _events(request: Request, reply: Reply) -> Iterator[Event]:
    begun = _response(request, reply, "in_progress", [], None)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(_items(reply)):
        inside = _text_events if item["type"] == "message" else _call_events
        for event in inside(reply, item):
            yield {**event, "output_index": index}
    whole = _whole(request, reply)
    yield {"type": f"response.{whole['status']}", "response": whole}


def _text_events(reply: Reply, item: dict[str, Any]) -> Iterator[Event]:
    place = {"item_id": item["id"], "content_index": 0}
    yield {"type": "response.output_item.added", "item": _message(reply, "in_progress", [])}
    yield {"type": "response.content_part.added", "part": _part(""), **place}
    for piece in pieces(reply.text):
        yield {"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place}
    yield {"type": "response.output_text.done", "text": reply.text, "logprobs": [], **place}
    yield {"type": "response.content_part.done", "part": _part(reply.text), **place}
    yield {"type": "response.output_item.done", "item": item}


def _call_events(reply: Reply, item: dict[str, Any]) -> Iterator[Event]:
    place = {"item_id": item["id"]}
    yield {"type": "response.output_item.added", "item": _call(reply, "in_progress", "")}
    for piece in pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", "delta": piece, **place}
    whole = {"name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.function_call_arguments.done", **whole, **place}
    yield {"type": "response.output_item.done", "item": item}


def _failed(error: dict[str, Any], number: int) -> bytes:
    """The reference says that its fields are flat; the service nests them (openai/openai-dotnet#881)."""
    return sse({"type": "error", **error, "sequence_number": number}, "error")


RESPONSES = Surface(
    dialect=OPENAI,
    request=msgspec.json.Decoder(Request),
    read=_read,
    whole=_whole,
    frames=_frames,
    failed=_failed,
)

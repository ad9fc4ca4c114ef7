"""OpenAI's POST /v1/chat/completions."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from openflywheel.serve._fake.dialect import OPENAI
from openflywheel.serve._fake.surface import Surface, sse
from openflywheel.serve._fake.talk import Ask, Message, Reply, Tool, heard, pieces, text_of

LIKELY, STEP = -0.1, -1.0  # logprob of every token; each alternative is less likely by STEP


class Function(Struct):
    name: str
    parameters: dict[str, Any] = {}


class FunctionTool(Struct):
    function: Function | None = None


class JSONSchema(Struct):
    schema: dict[str, Any] = {}


class ResponseFormat(Struct):
    type: str
    json_schema: JSONSchema | None = None


class StreamOptions(Struct):
    include_usage: bool | None = None


class Chat(Struct):
    """The parameters that matter to a fake; all others are let through."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: ResponseFormat | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None


def json_wanted(kind: str, schema: Mapping[str, Any], text: str) -> Mapping[str, Any] | None:
    """The schema to answer with; an unnamed object echoes the text."""
    echo = {"type": "object", "properties": {"echo": {"const": text}}}
    return {"json_object": echo, "json_schema": schema}.get(kind)


def must_call(choice: str | dict[str, Any] | None, name: str | None) -> str | None:
    """The tool that has to be called, "" for any, None when none has to be."""
    return (name or "") if choice in ("required", "any") or isinstance(choice, dict) else None


def _read(chat: Chat) -> Ask:
    text, form, choice = heard(chat.messages), chat.response_format, chat.tool_choice
    schema = form.json_schema.schema if form and form.json_schema else {}
    named = choice.get("function", {}).get("name") if isinstance(choice, dict) else None
    functions = [tool.function for tool in chat.tools or () if tool.function]
    return Ask(
        model=chat.model,
        text=text,
        characters=sum(len(text_of(m.content)) for m in chat.messages),
        stream=bool(chat.stream),
        limit=chat.max_completion_tokens or chat.max_tokens,
        tools=[Tool(f.name, f.parameters) for f in functions],
        must_call=must_call(choice, named),
        schema=json_wanted(form.type, schema, text) if form else None,
    )


def _whole(chat: Chat, reply: Reply) -> dict[str, Any]:
    return {
        **_head(chat, reply, "chat.completion"),
        "choices": [_choice(chat, reply, index) for index in range(chat.n or 1)],
        "usage": _usage(chat, reply),
    }


def _head(chat: Chat, reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": kind,
        "created": reply.created,
        "model": chat.model,
        "service_tier": "default",
        "system_fingerprint": "fp_fake",
    }


def _choice(chat: Chat, reply: Reply, index: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
    if reply.call:
        message |= {"content": reply.text or None, "tool_calls": [_tool_call(reply, index)]}
    logprobs = _logprobs(chat, pieces(reply.text))
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": _finish(reply)}


def _tool_call(reply: Reply, index: int) -> dict[str, Any]:
    assert reply.call is not None
    function = {"name": reply.call.name, "arguments": reply.call.arguments}
    return {"id": f"call_{reply.id}_{index}", "type": "function", "function": function}


def _finish(reply: Reply) -> str:
    return "length" if not reply.complete else "tool_calls" if reply.call else "stop"


def _usage(chat: Chat, reply: Reply) -> dict[str, Any]:
    said = reply.output_tokens * (chat.n or 1)
    return {
        "prompt_tokens": reply.input_tokens,
        "completion_tokens": said,
        "total_tokens": reply.input_tokens + said,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _logprobs(chat: Chat, said: list[str]) -> dict[str, Any] | None:
    if not chat.logprobs:
        return None
    return {"content": [_logprob(token, chat.top_logprobs or 0) for token in said], "refusal": None}


def _logprob(token: str, top: int) -> dict[str, Any]:
    others = [_token(f"{token}{rank or ''}", LIKELY + rank * STEP) for rank in range(top)]
    return {**_token(token, LIKELY), "top_logprobs": others}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _frames(chat: Chat, reply: Reply) -> Iterator[bytes]:
    head = _head(chat, reply, "chat.completion.chunk")
    with_usage = bool(chat.stream_options and chat.stream_options.include_usage)
    blank = {"usage": None} if with_usage else {}
    for index in range(chat.n or 1):
        for choice in _deltas(chat, reply, index):
            yield sse({**head, "choices": [choice], **blank})
    if with_usage:
        yield sse({**head, "choices": [], "usage": _usage(chat, reply)})
    yield b"data: [DONE]\n\n"


def _deltas(chat: Chat, reply: Reply, index: int) -> Iterator[dict[str, Any]]:
    """The chunks of one choice."""
    plain = {"index": index, "logprobs": None, "finish_reason": None}
    content = None if reply.call and not reply.text else ""
    yield {**plain, "delta": {"role": "assistant", "content": content, "refusal": None}}
    for token in pieces(reply.text):
        yield {**plain, "delta": {"content": token}, "logprobs": _logprobs(chat, [token])}
    if reply.call:
        call = _tool_call(reply, index)
        opened = {**call, "index": 0, "function": {"name": reply.call.name, "arguments": ""}}
        yield {**plain, "delta": {"tool_calls": [opened]}}
        for piece in pieces(reply.call.arguments):
            yield {**plain, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}}
    yield {**plain, "delta": {}, "finish_reason": _finish(reply)}


CHAT = Surface(dialect=OPENAI, request=msgspec.json.Decoder(Chat), read=_read, whole=_whole, frames=_frames)

"""A request in Anthropic's messages dialect, said in OpenAI's chat dialect."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from openflywheel.serve._dialects.content import Block, part_of, text_of
from openflywheel.serve._dialects.errors import Untranslatable, read
from openflywheel.serve._dialects.tools import (
    MessagesChoice,
    MessagesTool,
    to_chat_choice,
    to_chat_tool,
    tool_call,
)

_THOUGHTS = ("thinking", "redacted_thinking")
_REFUSED = ("container", "context_management", "mcp_servers")


class _Message(Struct):
    role: str
    content: str | list[Block]


class _Metadata(Struct):
    user_id: str | None = None


class _Format(Struct):
    type: str
    schema: dict[str, Raw] = {}


class _Output(Struct):
    format: _Format | None = None


class _Request(Struct):
    messages: list[_Message]
    max_tokens: int
    metadata: _Metadata | None = None
    output_config: _Output | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    system: str | list[Block] | None = None
    temperature: float | None = None
    tool_choice: MessagesChoice | None = None
    tools: list[MessagesTool] | None = None
    top_p: float | None = None
    # What follows is read only to be refused.
    container: Any = None
    context_management: Any = None
    mcp_servers: Any = None


_DECODER = msgspec.json.Decoder(_Request)


def messages_to_chat(body: bytes, model: str) -> bytes:
    """A /v1/messages request as a /v1/chat/completions request to `model`.

    tool_result blocks become tool messages, in front of what else their turn says; a result with is_error
    begins with "Error: ", since chat completions have no such flag; a stream asks for the usage chunk, which
    Anthropic's clients expect; max_tokens is sent as max_completion_tokens, which replaces it at OpenAI.

    Dropped, since OpenAI refuses parameters that it does not know, and they change how and not what is
    answered: cache_control, citations, output_config.effort, service_tier, thinking (and thinking blocks:
    no other provider can check their signatures), top_k, and any parameter newer than this file.

    Raises Untranslatable: tools and blocks that run on Anthropic's servers, files by id, documents other than
    base64, images in tool results, container, context_management, mcp_servers, a body of another shape.
    """
    request = read(_DECODER, body, "the messages request")
    for name in _REFUSED:
        if getattr(request, name):
            raise Untranslatable(f"chat completions have no {name!r}; leave it out, or choose Anthropic")
    system = text_of(request.system, "system")
    messages = [m for message in request.messages for m in _said(message)]
    return msgspec.json.encode(
        {
            "model": model,
            "messages": [*([{"role": "system", "content": system}] if system else []), *messages],
            "max_completion_tokens": request.max_tokens,
            **_tools(request),
            **_options(request),
        }
    )


def _said(message: _Message) -> Iterator[dict[str, Any]]:
    """One or more of OpenAI's messages."""
    content = message.content
    blocks = [Block("text", text=content)] if isinstance(content, str) else content
    match message.role:
        case "user":
            yield from _user(blocks)
        case "assistant":
            yield _assistant(blocks)
        case "system":
            yield {"role": "system", "content": text_of(blocks, "a system message")}
        case _:
            raise Untranslatable(f"a message's role is {message.role!r}; choices: user, assistant, system")


def _user(blocks: Sequence[Block]) -> Iterator[dict[str, Any]]:
    yield from (_result(block) for block in blocks if block.type == "tool_result")
    parts = [part_of(block) for block in blocks if block.type != "tool_result"]
    if len(parts) == 1 and parts[0]["type"] == "text":  # every server reads a string; not all read parts
        yield {"role": "user", "content": parts[0]["text"]}
    elif parts:
        yield {"role": "user", "content": parts}


def _result(block: Block) -> dict[str, Any]:
    text = text_of(block.content, "a tool_result")
    said = f"Error: {text}" if block.is_error else text
    return {"role": "tool", "tool_call_id": block.tool_use_id, "content": said}


def _assistant(blocks: Sequence[Block]) -> dict[str, Any]:
    calls = [tool_call(b.id, b.name, b.input) for b in blocks if b.type == "tool_use"]
    spoken = [b for b in blocks if b.type != "tool_use" and b.type not in _THOUGHTS]
    text = text_of(spoken, "an assistant message", between="")  # citations cut one sentence into blocks
    out: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
    return out | ({"tool_calls": calls} if calls else {})


def _tools(request: _Request) -> dict[str, Any]:
    if not request.tools:
        return {}
    out: dict[str, Any] = {"tools": [to_chat_tool(tool) for tool in request.tools]}
    if choice := request.tool_choice:
        out["tool_choice"] = to_chat_choice(choice)
        if choice.disable_parallel_tool_use:
            out["parallel_tool_calls"] = False
    return out


def _options(request: _Request) -> dict[str, Any]:
    said = {
        "stop": request.stop_sequences or None,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stream": request.stream,
        "stream_options": {"include_usage": True} if request.stream else None,
        "user": request.metadata.user_id if request.metadata else None,
        "response_format": _response_format(request.output_config),
    }
    return {name: value for name, value in said.items() if value is not None}


def _response_format(output: _Output | None) -> dict[str, Any] | None:
    if not output or not output.format:
        return None
    if output.format.type != "json_schema":
        raise Untranslatable(f"output_config.format is {output.format.type!r}; choices: json_schema")
    schema = {"name": "answer", "schema": output.format.schema, "strict": True}
    return {"type": "json_schema", "json_schema": schema}

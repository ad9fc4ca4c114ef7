"""A request in OpenAI's chat dialect, said in Anthropic's messages dialect."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from openflywheel.serve._dialects.content import Part, blocks_of, text_block
from openflywheel.serve._dialects.errors import Untranslatable, read
from openflywheel.serve._dialects.tools import (
    Call,
    ChatChoice,
    ChatTool,
    anthropic_id,
    to_messages_choice,
    to_messages_tool,
    tool_uses,
)

DEFAULT_MAX_TOKENS = 4096  # Anthropic requires a limit; each of its models can write this many


class _Message(Struct):
    role: str
    content: str | list[Part] | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    audio: Any = None
    function_call: Any = None


class _Schema(Struct):
    schema: dict[str, Raw] | None = None


class _Format(Struct):
    type: str
    json_schema: _Schema | None = None


class _Request(Struct):
    messages: list[_Message]
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    parallel_tool_calls: bool | None = None
    response_format: _Format | None = None
    safety_identifier: str | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    temperature: float | None = None
    tool_choice: str | ChatChoice | None = None
    tools: list[ChatTool] | None = None
    top_p: float | None = None
    user: str | None = None
    # What follows is read only to be refused.
    audio: Any = None
    function_call: Any = None
    functions: Any = None
    logit_bias: Any = None
    logprobs: Any = None
    modalities: list[str] | None = None
    moderation: Any = None
    n: int | None = None
    top_logprobs: Any = None
    web_search_options: Any = None


_DECODER = msgspec.json.Decoder(_Request)
_REFUSED = (
    "audio", "function_call", "functions", "logit_bias", "logprobs", "moderation", "top_logprobs",
)  # fmt: skip


def chat_to_messages(body: bytes, model: str, *, sampling: bool = True) -> bytes:
    """A /v1/chat/completions request as a /v1/messages request to `model`.

    System and developer messages move to `system`; tool messages become tool_result blocks; turns of one
    role that follow each other are merged; blank text, which Anthropic refuses, is left out; temperature is
    clipped to 0..1; max_tokens is 4096 when the client set none; user (else safety_identifier) becomes
    metadata.user_id. Without `sampling`, temperature and top_p are dropped: API version 2026-10-21 refuses
    them for every model, version 2023-06-01 for the newer ones.

    Dropped, since Anthropic refuses parameters that it does not know, and these change how and not what is
    answered: frequency_penalty, metadata, prediction, presence_penalty, prompt_cache_*, reasoning_effort,
    seed, service_tier, store, stream_options (see MessagesToChatStream), verbosity, an image's detail, a
    message's name, tool_choice and parallel_tool_calls without tools, any parameter newer than this file.

    Raises Untranslatable: n above 1, logprobs, logit_bias, audio, functions (use tools), moderation, web
    search, response_format json_object, blank stop sequences, custom tools, tool arguments that are no JSON
    object, files other than PDF in base64, a body of another shape, and a conversation without any turn.
    """
    request = read(_DECODER, body, "the chat completions request")
    _refuse(request)
    system, turns = _conversation(request.messages)
    return msgspec.json.encode(
        {
            "model": model,
            "max_tokens": _limit(request),
            **({"system": system} if system else {}),
            "messages": turns,
            **_tools(request),
            **_output(request.response_format),
            **_options(request),
            **(_sampling(request) if sampling else {}),
        }
    )


def _refuse(request: _Request) -> None:
    if request.n is not None and request.n > 1:
        raise Untranslatable(f"n = {request.n}: the Messages API gives one answer a request; ask with n = 1")
    if set(request.modalities or ()) - {"text"}:
        raise Untranslatable(f"modalities = {request.modalities}: the Messages API answers in text only")
    refused = [name for name in _REFUSED if getattr(request, name)]
    if request.web_search_options is not None:  # {} asks for a search too
        refused.append("web_search_options")
    if refused:
        raise Untranslatable(
            f"the Messages API has no {refused[0]!r}; leave it out, or choose an OpenAI-compatible provider"
        )


def _limit(request: _Request) -> int:
    given = (request.max_completion_tokens, request.max_tokens, DEFAULT_MAX_TOKENS)
    return next(limit for limit in given if limit is not None)


def _conversation(messages: Sequence[_Message]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(system blocks, turns); Anthropic wants no empty turn and answers a tool's calls in one user turn."""
    system: list[dict[str, Any]] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        role, blocks = _said(message)
        if role == "system":
            system += blocks
        elif blocks and turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    if not turns:
        raise Untranslatable(
            "messages holds no user or assistant turn that says anything; the Messages API needs one"
        )
    return system, turns


def _said(message: _Message) -> tuple[str, list[dict[str, Any]]]:
    """Anthropic's role and blocks of one message."""
    match message.role:
        case "system" | "developer":
            return "system", _only_text(message)
        case "user":
            return "user", blocks_of(message.content)
        case "assistant":
            return "assistant", _answer(message)
        case "tool":
            return "user", [_result(message)]
    raise Untranslatable(
        f"a message's role is {message.role!r}; choices: system, developer, user, assistant, tool"
    )


def _answer(message: _Message) -> list[dict[str, Any]]:
    if message.audio or message.function_call:
        what = "audio" if message.audio else "function_call"
        raise Untranslatable(f"an assistant message holds {what!r}, which the Messages API has not")
    said = [*blocks_of(message.content), *text_block(message.refusal or "")]
    return said + tool_uses(message.tool_calls or ())


def _result(message: _Message) -> dict[str, Any]:
    if not message.tool_call_id:
        raise Untranslatable("a tool message has no tool_call_id: nobody knows which call it answers")
    id = anthropic_id(message.tool_call_id)
    return {"type": "tool_result", "tool_use_id": id, "content": _only_text(message)}


def _only_text(message: _Message) -> list[dict[str, Any]]:
    blocks = blocks_of(message.content)
    if any(block["type"] != "text" for block in blocks):
        raise Untranslatable(f"a {message.role} message holds more than text")
    return blocks


def _tools(request: _Request) -> dict[str, Any]:
    if not request.tools:
        return {}
    choice = to_messages_choice(request.tool_choice, request.parallel_tool_calls)
    tools = [to_messages_tool(tool) for tool in request.tools]
    return {"tools": tools, **({"tool_choice": choice} if choice else {})}


def _output(form: _Format | None) -> dict[str, Any]:
    if form is None or form.type == "text":
        return {}
    if form.type != "json_schema" or not form.json_schema or form.json_schema.schema is None:
        raise Untranslatable(
            f"response_format {form.type!r}, as given, has no counterpart in the Messages API; "
            "choices: text, json_schema with a schema"
        )
    return {"output_config": {"format": {"type": "json_schema", "schema": form.json_schema.schema}}}


def _options(request: _Request) -> dict[str, Any]:
    stops = [request.stop] if isinstance(request.stop, str) else request.stop or []
    if any(not stop.strip() for stop in stops):
        raise Untranslatable(f"stop = {request.stop!r}: the Messages API refuses blank stop sequences")
    user = request.user or request.safety_identifier
    said = {
        "stop_sequences": stops or None,
        "stream": request.stream,
        "metadata": {"user_id": user} if user else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _sampling(request: _Request) -> dict[str, float]:
    warmth = {} if request.temperature is None else {"temperature": min(max(request.temperature, 0.0), 1.0)}
    return warmth | ({} if request.top_p is None else {"top_p": request.top_p})

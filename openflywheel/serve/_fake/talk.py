"""What every surface understands of a request, and the answer that it gives.

One rule counts tokens everywhere (usage, stream chunks, logprobs, limits): a token is four characters, the
last one fewer.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.serve._fake.sample import sample_json
from openflywheel.serve._fake.script import Rule

TOKEN = 4  # characters


class Part(Struct):
    """A part of a message; only its text matters here."""

    text: str | None = None
    content: "str | list[Part] | None" = None


Content = str | list[Part] | None


class Message(Struct):
    """A message of any of the APIs."""

    role: str
    content: Content = None


class Tool(Struct, frozen=True):
    """A tool that may be called, with the JSON Schema of its arguments."""

    name: str
    schema: Mapping[str, Any]


class Ask(Struct, frozen=True, kw_only=True):
    """A request, whatever its API: `text` is the last user message, `characters` all that was sent."""

    model: str
    text: str = ""
    characters: int = 0
    stream: bool = False
    limit: int | None = None  # tokens of output
    tools: Sequence[Tool] = ()
    must_call: str | None = None  # a tool's name; "" for any
    schema: Mapping[str, Any] | None = None  # JSON is wanted
    learned: str | None = None  # what its model was tuned to answer


class Call(Struct, frozen=True):
    """A call of a tool, its arguments as JSON text."""

    name: str
    arguments: str


class Reply(Struct, frozen=True, kw_only=True):
    """An answer: `id` ends every id of its response, `complete` is False when the limit cut it."""

    id: str
    created: int
    text: str
    call: Call | None
    complete: bool
    input_tokens: int
    output_tokens: int


def tokens(characters: int) -> int:
    """Tokens of a text of so many characters."""
    return -(-characters // TOKEN)


def pieces(text: str) -> list[str]:
    """The tokens of a text."""
    return [text[at : at + TOKEN] for at in range(0, len(text), TOKEN)]


def text_of(content: Content) -> str:
    """All text of a message."""
    if isinstance(content, str):
        return content
    return "".join(part.text or text_of(part.content) for part in content or ())


def heard(messages: Sequence[Message]) -> str:
    """Text of the last user message."""
    return next((text_of(m.content) for m in reversed(messages) if m.role == "user"), "")


def reply(ask: Ask, rule: Rule, id: str) -> Reply:
    """The answer to a request under a rule."""
    call = _call(ask, rule)
    text = _text(ask, rule, call)
    kept = text if ask.limit is None else text[: ask.limit * TOKEN]
    return Reply(
        id="repeated" if rule.repeat_id else id,
        created=int(time.time()),
        text=kept,
        call=call,
        complete=kept == text,
        input_tokens=tokens(ask.characters),
        output_tokens=tokens(len(kept)) + (tokens(len(call.name + call.arguments)) if call else 0),
    )


def _call(ask: Ask, rule: Rule) -> Call | None:
    schemas = {tool.name: tool.schema for tool in ask.tools}
    told = rule.tool_call
    if told is not None and told.arguments is not None:
        return Call(told.name, msgspec.json.encode(told.arguments).decode())
    if told is None and (ask.must_call is None or rule.answer is not None or not schemas):
        return None
    name = told.name if told else ask.must_call or next(iter(schemas))
    return Call(name, sample_json({"type": "object", **schemas.get(name, {})}))


def _text(ask: Ask, rule: Rule, call: Call | None) -> str:
    if rule.answer is not None:
        return rule.answer
    if call:
        return ""
    if ask.learned is not None:
        return ask.learned
    return f"Echo: {ask.text}" if ask.schema is None else sample_json(ask.schema)

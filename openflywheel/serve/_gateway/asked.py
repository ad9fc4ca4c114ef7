"""What a client asks, read from the body's bytes: only the few fields that the gateway needs.

Everything else is left as it is: the APIs have some forty parameters and grow.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from openflywheel.base.ids import content_id


class Extra(Struct, frozen=True, forbid_unknown_fields=True):
    """The field `flywheel` of a request (`extra_body` in the SDKs); it is not sent on."""

    episode: str = ""
    subject: str = ""
    variables: dict[str, str] = {}


class Metadata(Struct, frozen=True):
    """Who asks, as Anthropic's API says it."""

    user_id: str | None = None


class Prompt(Struct, frozen=True):
    """A stored prompt of the responses API."""

    variables: dict[str, Any] | None = None


class Asked(Struct, frozen=True):
    """A request's body."""

    model: str
    stream: bool | None = False
    messages: Raw = Raw()
    input: Raw = Raw()
    n: int | None = None
    logprobs: bool | None = False
    stream_options: dict[str, Any] | None = None
    response_format: Raw = Raw()
    encoding_format: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: Raw = Raw()
    prompt: Raw = Raw()
    previous_response_id: str | None = None
    conversation: Raw = Raw()
    flywheel: Extra | None = None


class Part(Struct, frozen=True):
    """A piece of a message: `text` in every dialect that has text."""

    text: str | None = None
    id: str | None = None


class Turn(Struct, frozen=True):
    """One message of a conversation; in the responses API also a tool's call or the model's reasoning."""

    role: str | None = None
    content: Raw = Raw()
    tool_calls: list[Part] | None = None
    type: str | None = None
    call_id: str | None = None


class Said(NamedTuple):
    """A message's role and its text; a call of tools counts by its ids."""

    role: str
    text: str


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
ESCAPE = re.compile(  # an escape of JSON; the group is half of a surrogate pair
    rb"\\(?:u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(u[dD][89a-fA-F]\w\w)|.)", re.DOTALL
)

_asked = msgspec.json.Decoder(Asked)
_turns = msgspec.json.Decoder(list[Turn])
_parts = msgspec.json.Decoder(list[Part])
_part = msgspec.json.Decoder(Part)
_text = msgspec.json.Decoder(str)
_prompt = msgspec.json.Decoder(Prompt)
_metadata = msgspec.json.Decoder(Metadata)
_fields = msgspec.json.Decoder(dict[str, Raw])


def read(body: bytes) -> Asked:
    """A request's body. Raises msgspec.ValidationError or msgspec.DecodeError."""
    return _asked.decode(body)


def patched(body: bytes, model: str) -> bytes:
    """The body for a provider: its `model` set, our own field removed, all other values byte for byte."""
    fields = _fields.decode(body)
    fields.pop("flywheel", None)
    fields["model"] = Raw(msgspec.json.encode(model))
    return msgspec.json.encode(fields)


def conversation(asked: Asked) -> list[Said]:
    """The messages that a request carries; what has an unknown shape carries none."""
    raw = asked.messages if memoryview(asked.messages) else asked.input
    try:
        return _conversation(raw)
    except UNREADABLE:
        return _mended_conversation(raw)


def _mended_conversation(raw: Raw) -> list[Said]:
    try:
        return _conversation(Raw(mended(bytes(raw))))
    except UNREADABLE:
        return []  # the provider will say what is wrong with it


def _conversation(raw: Raw) -> list[Said]:
    if begins(raw, b'"'):
        return [Said("user", _text.decode(raw))]
    turns = _turns.decode(raw) if begins(raw, b"[") else []
    return [_said(turn) for turn in turns if turn.type != "reasoning"]


def mended(json: bytes) -> bytes:
    """JSON that can be read: what is no UTF-8, and halves of surrogate pairs, become U+FFFD."""
    text = json.decode(errors="replace").encode()
    return ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], text)


def _said(turn: Turn) -> Said:
    if turn.type == "function_call":
        return Said("assistant", turn.call_id or "")
    calls = "".join(part.id or "" for part in turn.tool_calls or ())
    return Said(turn.role or "", text_of(turn.content) + calls)


def text_of(content: Raw) -> str:
    """The text of a message's content: a string, or a list of parts."""
    if begins(content, b'"'):
        return _text.decode(content)
    if begins(content, b"["):
        return "".join(part.text or part.id or "" for part in _parts.decode(content))
    return ""


def begins(raw: Raw, with_: bytes) -> bool:
    """Does a value, as it came over the wire, begin with this byte?"""
    return memoryview(raw)[:1] == with_


def question(turns: Sequence[Said]) -> str:
    """What is asked: the newest message that a person wrote."""
    return next((said.text for said in reversed(turns) if said.role == "user"), "")


def beside(asked: Asked, turns: Sequence[Said]) -> str:
    """What a request says beside its question: the history, and the variables."""
    if len(turns) == 1 and not asked.flywheel and not memoryview(asked.prompt):
        return ""
    asks = question(turns)
    return "\n".join([*(said.text for said in turns if said.text != asks), *variables(asked).values()])


def episode(turns: Sequence[Said], answer: str, subject: str) -> str:
    """Name of a conversation that the client did not name.

    Clients send the whole conversation each time: what all its requests share is the beginning up to the
    first answer, and of the first request that answer is the one just given.
    """
    first = next((i for i, said in enumerate(turns) if said.role == "assistant"), len(turns))
    opening = [*turns[: first + 1]] if first < len(turns) else [*turns, Said("assistant", answer)]
    return content_id("episode", subject, *(part for said in opening for part in said))


def conversation_id(asked: Asked) -> str:
    """The conversation that the responses API keeps at the provider: its id, or empty."""
    try:
        if begins(asked.conversation, b'"'):
            return _text.decode(asked.conversation)
        if begins(asked.conversation, b"{"):
            return _part.decode(asked.conversation).id or ""
    except UNREADABLE:
        return ""  # the provider will say what is wrong with it
    return ""


def subject(asked: Asked) -> str:
    """Who asks, as the body says: our own field, or the APIs' fields for the end user."""
    if asked.flywheel and asked.flywheel.subject:
        return asked.flywheel.subject
    named = asked.safety_identifier or asked.user
    if named or not begins(asked.metadata, b"{"):
        return named or ""
    try:
        return _metadata.decode(asked.metadata).user_id or ""
    except UNREADABLE:
        return ""


def variables(asked: Asked) -> dict[str, str]:
    """What the prompt was rendered from, kept apart from the prompt."""
    if asked.flywheel and asked.flywheel.variables:
        return asked.flywheel.variables
    if not begins(asked.prompt, b"{"):
        return {}
    try:
        found = _prompt.decode(asked.prompt).variables or {}
    except UNREADABLE:
        return {}
    return {k: v if isinstance(v, str) else msgspec.json.encode(v).decode() for k, v in found.items()}

"""A request as it comes in: who asks, what, and whether it may."""

import time
from typing import Any, NamedTuple

import msgspec

from openflywheel.base.ids import event_id
from openflywheel.base.keys import Key
from openflywheel.serve._gateway import asked as asking
from openflywheel.serve._gateway.asked import Asked, Said
from openflywheel.serve._gateway.surfaces import Refusal, Surface

Headers = dict[bytes, bytes]

# What a provider may want to know of the client; everything else, keys and cookies first, stays here.
FORWARDED = frozenset(
    {
        b"anthropic-beta", b"anthropic-version", b"openai-beta", b"openai-organization", b"openai-project",
        b"traceparent", b"tracestate", b"user-agent",
    }
)  # fmt: skip


class Request(NamedTuple):
    """What a client asks. `subject` is its opaque key, `episode` empty when the client named none."""

    id: str
    at: float
    start: float
    surface: Surface
    body: bytes
    asked: Asked
    turns: list[Said]
    headers: Headers
    key: Key | None
    subject: str
    episode: str

    @property
    def stream(self) -> bool:
        return bool(self.asked.stream)

    def forwarded(self) -> dict[str, str]:
        """The client's headers that a provider gets."""
        return {k.decode(): v.decode("latin-1") for k, v in self.headers.items() if k in FORWARDED}


async def read_body(receive: Any, headers: Headers, largest: int) -> bytes:
    """The whole body. Raises Refusal above `largest` bytes, or when the client goes away."""
    if int(headers.get(b"content-length", b"0")) > largest:
        raise _too_large(largest)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        body = await _rest(receive, body, largest)
    elif message["type"] == "http.disconnect":
        raise Refusal(499, "the client went away")
    if len(body) > largest:
        raise _too_large(largest)
    return body


async def _rest(receive: Any, first: bytes, largest: int) -> bytes:
    parts, size = [first], len(first)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(499, "the client went away")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > largest:
            raise _too_large(largest)
        if not message.get("more_body"):
            return b"".join(parts)


def _too_large(largest: int) -> Refusal:
    return Refusal(413, f"the request is larger than {largest:,} bytes", "request_too_large")


def _readable(body: bytes) -> tuple[bytes, Asked]:
    """The body and what it asks. JavaScript cuts emoji in two: half a surrogate pair becomes U+FFFD."""
    try:
        return body, asking.read(body)
    except msgspec.ValidationError:
        raise
    except asking.UNREADABLE:
        body = asking.mended(body)
        return body, asking.read(body)


def _told(headers: Headers, name: bytes) -> str:
    """A header in UTF-8, as the body is, or in the older Latin-1."""
    value = headers.get(name, b"")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def read(
    surface: Surface, body: bytes, headers: Headers, key: Key | None, key_of: Any, start: float
) -> Request:
    """A request from its bytes. Raises Refusal when they are no request."""
    try:
        body, asked = _readable(body)
    except asking.UNREADABLE as error:
        coding = headers.get(b"content-encoding", b"").decode("latin-1")
        hint = f"; it came as {coding!r}, send it plain" if coding else ""
        raise Refusal(400, f"the body is no {surface.name} request: {error}{hint}", "invalid_body") from None
    person = _told(headers, b"x-flywheel-subject") or asking.subject(asked)
    named = asked.flywheel.episode if asked.flywheel else ""
    talk = _told(headers, b"x-flywheel-episode") or named or asking.conversation_id(asked)
    at = time.time()
    return Request(
        id=event_id(at),
        at=at,
        start=start,
        surface=surface,
        body=body,
        asked=asked,
        turns=asking.conversation(asked),
        headers=headers,
        key=key,
        subject=key_of(person),
        episode=talk,
    )

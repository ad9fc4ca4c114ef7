"""What goes into a frontier and comes out of it."""

from hashlib import blake2b

from msgspec import Struct


def number_of(text: str | bytes) -> int:
    """Hash of a text, or of bytes, as an integer of 64 bits: two of 10^6 agree by a chance of 3e-8."""
    raw = text.encode() if isinstance(text, str) else text
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "big", signed=True)


class Seen(Struct):
    """A URL that was found: `near` is its near-duplicates' common form, `text` the words it stood under."""

    url: str
    near: str
    host: str
    depth: int
    value: float = 0.0
    text: str = ""
    parent: int | None = None


class Known(Struct, frozen=True):
    """A URL that the frontier has."""

    id: int
    url: str
    state: int
    value: float
    depth: int


class Job(Struct, frozen=True):
    """A URL to fetch; `etag` and `modified` are what it said the last time, `digest` its content then."""

    id: int
    url: str
    host: int
    depth: int
    value: float
    tries: int = 0
    etag: str | None = None
    modified: str | None = None
    digest: int | None = None


class Said(Struct, frozen=True):
    """What a page said of itself: the hash of its content, and by what to ask whether it has changed."""

    digest: int
    etag: str | None = None
    modified: str | None = None

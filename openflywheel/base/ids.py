"""Names of things: content hashes for data, UUIDv7 for events, HMAC keys for people."""

import hmac
import os
import time
from hashlib import blake2b, sha256
from uuid import UUID

CONTENT_BYTES = 16  # 128 bits: a collision among 10^12 rows has a chance of 10^-15


def content_id(*parts: bytes | str) -> str:
    """Short stable name (32 hex digits) of some content; the order of the parts counts."""
    digest = blake2b(digest_size=CONTENT_BYTES)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def event_id(at: float | None = None) -> str:
    """UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits; ids sort by time."""
    milliseconds = int((time.time() if at is None else at) * 1000)
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def first_id(at: float) -> str:
    """The beginning of every event id of a millisecond: it sorts before them all, and after earlier ones."""
    digits = f"{max(0, min(int(at * 1000), (1 << 48) - 1)):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def subject_key(person: str, secret: bytes) -> str:
    """Opaque key of a person (HMAC-SHA256, RFC 2104, cut to 128 bits): the store never sees who it was."""
    return hmac.new(secret, person.encode(), sha256).hexdigest()[:32]


def share_of(name: str, salt: str = "") -> float:
    """Stable uniform number in [0, 1) drawn from a name: for splits that survive restarts."""
    return int.from_bytes(blake2b(f"{salt}\x1f{name}".encode(), digest_size=8).digest(), "big") / 2**64

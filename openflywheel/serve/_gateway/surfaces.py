"""The APIs that clients speak, by path, and how each of them says that something is wrong."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

Dialect = Literal["openai", "anthropic"]


class Surface(NamedTuple):
    """One API: its name in the log, whose dialect it is, its path below a provider's URL."""

    name: str
    dialect: Dialect
    path: str


CHAT = Surface("chat", "openai", "/chat/completions")
MESSAGES = Surface("messages", "anthropic", "/messages")
SURFACES: Mapping[str, Surface] = {
    f"/v1{surface.path}": surface
    for surface in (
        CHAT,
        Surface("responses", "openai", "/responses"),
        Surface("embeddings", "openai", "/embeddings"),
        MESSAGES,
        Surface("count_tokens", "anthropic", "/messages/count_tokens"),
    )
}

TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
}


class Refusal(Exception):
    """Why a request gets no answer: an HTTP status, a sentence, and a code for programs."""

    def __init__(
        self, status: int, message: str, code: str = "", *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, headers or {}

    def body(self, dialect: Dialect) -> bytes:
        """The error as a dialect's SDK reads it."""
        kind = TYPES.get(self.status, "api_error")
        if dialect == "anthropic":
            return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": self.message}})
        said = {"message": self.message, "type": kind, "param": None, "code": self.code or None}
        return msgspec.json.encode({"error": said})

    def frame(self, surface: Surface) -> bytes:
        """The error as an event in the middle of a stream."""
        body = self.body(surface.dialect)
        if surface.name == "chat":
            return b"data: " + body + b"\n\n"
        if surface.name == "responses":
            fields = {"type": "error", "sequence_number": 0}  # nested, though the reference says flat
            body = msgspec.json.encode({**msgspec.json.decode(body), **fields})
        return b"event: error\ndata: " + body + b"\n\n"

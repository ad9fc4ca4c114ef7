"""What goes wrong between two dialects: what cannot be said, and the error bodies of both."""

from typing import Any, TypeVar

import msgspec

from openflywheel.base.errors import FlywheelError

T = TypeVar("T")

MESSAGE_LIMIT = 500  # characters kept of a body that is no JSON, such as a proxy's HTML page

OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STATUSES = {kind: status for status, kind in ANTHROPIC_TYPES.items()} | {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "requests": 429,
    "tokens": 429,
}


class Untranslatable(FlywheelError):
    """A request or a reply says what the other dialect cannot, or cannot be read at all."""


class EventTooLarge(Untranslatable):
    """A stream holds an event above the limit of memory."""


def read(decoder: "msgspec.json.Decoder[T]", body: bytes, what: str) -> T:
    """A decoded body; raises Untranslatable, naming what it was, where it is no UTF-8 or of another shape."""
    try:
        return decoder.decode(
            body.decode()
        )  # msgspec.Raw does not check its UTF-8: the whole is checked here
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Untranslatable(f"{what} cannot be read: {error}") from error


def error_to_openai(status: int, body: bytes) -> bytes:
    """The body of an error answer, as OpenAI writes it; Anthropic's own type is kept as `code`."""
    said = _said(body)
    kind = OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    param = said.get("param")
    error = {
        "message": _message(status, said),
        "type": kind,
        "param": param if isinstance(param, str) else None,
        "code": next((said[key] for key in ("code", "type") if isinstance(said.get(key), str)), None),
    }
    return msgspec.json.encode({"error": error})


def error_to_anthropic(status: int, body: bytes) -> bytes:
    """The body of an error answer, as Anthropic writes it."""
    kind = ANTHROPIC_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    error = {"type": kind, "message": _message(status, _said(body))}
    return msgspec.json.encode({"type": "error", "error": error})


def status_in(body: bytes) -> int:
    """The HTTP status that an error in the middle of a stream stands for; 500 when it names none we know."""
    said = _said(body)
    for key in ("code", "type"):
        value = said.get(key)
        if isinstance(value, int) and 400 <= value < 600:  # vLLM and OpenRouter write the status as the code
            return value
        if isinstance(value, str) and value in STATUSES:
            return STATUSES[value]
    return 500


def _said(body: bytes) -> dict[str, Any]:
    """The error object of either dialect; {"message": text} of anything else."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = body.decode("utf-8", "replace").strip()[:MESSAGE_LIMIT]
    error = said.get("error") or said if isinstance(said, dict) else said
    return error if isinstance(error, dict) else {"message": error}


def _message(status: int, said: dict[str, Any]) -> str:
    message = said.get("message") or said.get("detail")
    if not message:
        return f"the provider answered with status {status} and gave no reason"
    return message if isinstance(message, str) else msgspec.json.encode(message).decode()

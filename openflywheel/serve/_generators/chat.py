"""OpenAI's chat completions before a model in Python: what is asked, and how it is said."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.base.ids import event_id


class Part(Struct):
    """A part of a message; only texts can be read."""

    type: str = "text"
    text: str = ""


class Message(Struct):
    """A message of a chat."""

    role: str
    content: str | list[Part] | None = None

    def plain(self) -> dict[str, str]:
        """As models take it. Raises ValueError for what is no text."""
        parts = self.content if isinstance(self.content, list) else []
        if other := next((part.type for part in parts if part.type != "text"), ""):
            raise ValueError(f"this model reads texts, not {other!r}")
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in parts)
        return {"role": self.role, "content": text}


class Question(Struct):
    """A request. What is not here (temperature, ...) does not matter: the likeliest answer is given."""

    model: str
    messages: list[Message]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stream: bool | None = None
    n: int | None = None

    @property
    def most_tokens(self) -> int:
        return self.max_completion_tokens or self.max_tokens or 256


decode = msgspec.json.Decoder(Question).decode


def whole(question: Question, text: str) -> bytes:
    """The answer at once. It has no usage: nobody counts tokens here."""
    said = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}
    return msgspec.json.encode({**_head(question, "chat.completion"), "choices": [choice]})


def stream(question: Question, text: str) -> Iterator[bytes]:
    """The answer as events: it is there at once, so that it is one piece."""
    head = _head(question, "chat.completion.chunk")
    for delta, ended in (({"role": "assistant", "content": text}, None), ({}, "stop")):
        choice = {"index": 0, "delta": delta, "finish_reason": ended}
        yield b"data: " + msgspec.json.encode({**head, "choices": [choice]}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def error(status: int, message: str) -> bytes:
    """What went wrong."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    said: Mapping[str, Any] = {"message": message, "type": kind, "param": None, "code": None}
    return msgspec.json.encode({"error": said})


def _head(question: Question, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{event_id()}",
        "object": kind,
        "created": int(time.time()),
        "model": question.model,
    }

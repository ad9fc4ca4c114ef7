"""Answers of the flywheel's own models, in the form of each API."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.base.nouns import Exchange
from openflywheel.serve._gateway.answered import Answered, tokens
from openflywheel.serve._gateway.asked import Asked, begins
from openflywheel.serve._gateway.intake import Request
from openflywheel.serve._gateway.own_chat import chat, chat_stream
from openflywheel.serve._gateway.own_messages import messages, messages_stream
from openflywheel.serve._gateway.own_responses import responses, responses_stream


class Format(Struct, frozen=True):
    """`response_format`, of which a label task needs to know how its one answer is called."""

    type: str = "text"
    json_schema: dict[str, Any] = {}


_format = msgspec.json.Decoder(Format)


def answered(request: Request, exchange: Exchange) -> Answered:
    """The answer with its tokens, by the rough count that stands where nobody tells."""
    asked = tokens("".join(said.text for said in request.turns))
    return Answered(exchange.output, request.id, asked, tokens(exchange.output), estimated=True)


def rendered(request: Request, exchange: Exchange, answer: Answered) -> bytes:
    """The body, or all the bytes of the stream."""
    says = SAYS[request.surface.name, request.stream]
    return b"".join(says(request, exchange, answer, content(request.asked, exchange.output)))


def content(asked: Asked, label: str) -> str:
    """The label, or a JSON object with it where the client asked for JSON: its first property holds it."""
    if not label or not begins(asked.response_format, b"{"):
        return label
    wanted = _format.decode(asked.response_format)
    if wanted.type == "text":
        return label
    properties = wanted.json_schema.get("schema", {}).get("properties", {})
    return msgspec.json.encode({next(iter(properties), "label"): label}).decode()


# The APIs, streamed or not, in which our own models answer.
Says = Callable[[Request, Exchange, Answered, str], Iterator[bytes]]
SAYS: Mapping[tuple[str, bool], Says] = {
    ("chat", False): chat,
    ("chat", True): chat_stream,
    ("messages", False): messages,
    ("messages", True): messages_stream,
    ("responses", False): responses,
    ("responses", True): responses_stream,
}

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
from openflywheel.serve._gateway.surfaces import Refusal


class Schema(Struct, frozen=True):
    """Of a JSON Schema, the names of its properties."""

    properties: dict[str, Any] = {}


class Named(Struct, frozen=True):
    """A schema as a client sends it."""

    schema: Schema = Schema()


class Format(Struct, frozen=True):
    """`response_format`, of which a label task needs to know how its one answer is called."""

    type: str = "text"
    json_schema: Named = Named()


MOST = 128  # answers to one question, as OpenAI's API has it

_format = msgspec.json.Decoder(Format)


def check(request: Request) -> None:
    """Raises Refusal for what we could not answer in the way that is asked."""
    asked = request.asked
    if not request.turns:
        field = "input" if request.surface.name == "responses" else "messages"
        said = f"there is no question in {field!r}: it holds a list of {{role, content}}"
        raise Refusal(400, said, "invalid_value")
    if asked.n is not None and not 1 <= asked.n <= MOST:
        raise Refusal(400, f"n = {asked.n}; it goes from 1 to {MOST}", "invalid_value")
    if begins(asked.response_format, b"{"):
        _wanted(asked)


def _wanted(asked: Asked) -> Format:
    try:
        return _format.decode(asked.response_format)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, f"response_format cannot be used: {error}", "invalid_value") from None


def answered(request: Request, exchange: Exchange) -> Answered:
    """The answer with its tokens, by the rough count that stands where nobody tells."""
    asked = tokens("".join(said.text for said in request.turns))
    said = content(request.asked, exchange.output)
    return Answered(exchange.output, said, request.id, asked, tokens(exchange.output), estimated=True)


def rendered(request: Request, exchange: Exchange, answer: Answered) -> bytes:
    """The body, or all the bytes of the stream."""
    says = SAYS[request.surface.name, request.stream]
    return b"".join(says(request, exchange, answer, content(request.asked, exchange.output)))


def content(asked: Asked, label: str) -> str:
    """The label, or a JSON object with it where the client asked for JSON: its first property holds it."""
    if not label or not begins(asked.response_format, b"{"):
        return label
    wanted = _wanted(asked)
    if wanted.type == "text":
        return label
    name = next(iter(wanted.json_schema.schema.properties), "label")
    return msgspec.json.encode({name: label}).decode()


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

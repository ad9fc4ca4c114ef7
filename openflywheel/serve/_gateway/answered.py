"""What a provider answered, read from the bytes of its reply: text, id and tokens.

One loose shape holds the replies and the stream events of all APIs, since they name things differently; what
does not fit it has no text here, and its bytes are kept all the same.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Raw, Struct

from openflywheel.serve._dialects import Events, EventTooLarge
from openflywheel.serve._gateway.asked import UNREADABLE, Said, mended

CHARACTERS_PER_TOKEN = 4  # of English text; only where the provider tells no usage


class Usage(Struct, frozen=True):
    """Tokens, as chat completions and embeddings (prompt, completion) or the other APIs name them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class Function(Struct, frozen=True):
    """The call of a tool, or a piece of one."""

    name: str | None = None
    arguments: str | None = None


class ToolCall(Struct, frozen=True):
    """A tool call in chat completions."""

    id: str | None = None
    function: Function = Function()


class Piece(Struct, frozen=True):
    """A message, a delta, a content part or an output item, of any API."""

    content: "str | list[Piece] | None" = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    text: str | None = None
    partial_json: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: Raw = Raw()
    id: str | None = None
    type: str | None = None
    call_id: str | None = None


class Choice(Struct, frozen=True):
    """One of `n` answers."""

    index: int = 0
    message: Piece | None = None
    delta: Piece | None = None


class Body(Struct, frozen=True):
    """A reply, or the data of a stream's event."""

    type: str | None = None
    id: str | None = None
    choices: list[Choice] = []
    output: list[Piece] = []
    content: list[Piece] = []
    content_block: Piece | None = None
    usage: Usage | None = None
    delta: str | Piece | None = None
    response: "Body | None" = None
    message: "Body | None" = None
    error: Raw = Raw()


class Answered(Struct, frozen=True):
    """What came back. `estimated`: the provider told no token counts.

    `turn` is what a client that sends the conversation again will say for it: the text, and the ids of
    tool calls (asked.conversation).
    """

    text: str = ""
    turn: str = ""
    reply: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False


MARKS = (b'"tool_calls"', b'"tool_use"', b'"refusal":"', b'"refusal": "', b'"output":')

_body = msgspec.json.Decoder(Body)


def read(response: bytes, turns: Sequence[Said], *, stream: bool) -> Answered:
    """The answer in a reply's bytes, or in those of a stream, whole or cut."""
    bodies = list(_events(response) if stream else _bodies([response]))
    text = "".join(piece for body in bodies for piece in _said(body))
    usages = [u for body in bodies for u in _usages(body)]
    asked = max((u.prompt_tokens or u.input_tokens or 0 for u in usages), default=0)
    given = max((u.completion_tokens or u.output_tokens or 0 for u in usages), default=0)
    ended = not stream or any(_tells_usage(body) for body in bodies)
    return Answered(
        text=text,
        turn="".join(p for body in bodies for p in _turn(body)) if _differs(response) else text,
        reply=next((id for body in bodies if (id := _id(body))), ""),
        input_tokens=asked or tokens("".join(said.text for said in turns)),
        output_tokens=given if ended and usages else max(given, tokens(text)),
        estimated=not (ended and usages),
    )


def tokens(text: str) -> int:
    """A rough count of tokens, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _events(stream: bytes) -> Iterator[Body]:
    try:
        events = Events().feed(stream)
    except EventTooLarge:
        return iter(())
    return _bodies(data for _, data in events if data != b"[DONE]")


def _bodies(texts: Iterable[bytes]) -> Iterator[Body]:
    for text in texts:
        try:
            yield _body.decode(text)
        except UNREADABLE:
            try:
                yield _body.decode(mended(text))
            except UNREADABLE:
                continue  # not JSON, or of a shape that we don't know: nothing to read in it


def _said(body: Body) -> Iterator[str]:
    """The texts in a reply or an event; of several choices only the first."""
    for choice in body.choices:
        if choice.index == 0:
            yield from _text(choice.message or choice.delta)
    for piece in (*body.content, *body.output):
        yield from _text(piece)
    if isinstance(body.delta, Piece):
        yield from _text(body.delta)
    elif body.delta and body.type in ("response.output_text.delta", "response.function_call_arguments.delta"):
        yield body.delta


def _differs(response: bytes) -> bool:
    """May the turn differ from the text? To look costs 10 µs for a stream of 60 chunks, to read both 100."""
    return any(mark in response for mark in MARKS)


def _turn(body: Body) -> Iterator[str]:
    for choice in body.choices:
        if choice.index == 0 and (piece := choice.message or choice.delta):
            yield from _parts(piece)
            yield from (call.id for call in piece.tool_calls or () if call.id)
    for part in (*body.content, body.content_block, body.delta):
        if isinstance(part, Piece):
            yield part.text or part.id or ""
    output = body.output or (body.response.output if body.response else [])
    first = next((item for item in output if item.type != "reasoning"), None)
    if first:
        yield first.call_id or "".join(_parts(first))


def _parts(piece: Piece) -> Iterator[str]:
    if isinstance(piece.content, str):
        yield piece.content
    else:
        yield from (part.text for part in piece.content or () if part.text)


def _text(piece: Piece | None) -> Iterator[str]:
    if piece is None:
        return
    if isinstance(piece.content, str):
        yield piece.content
    for part in piece.content or () if not isinstance(piece.content, str) else ():
        yield from _text(part)
    yield from filter(None, (piece.refusal, piece.text, piece.partial_json, piece.arguments))
    for call in piece.tool_calls or ():
        yield from filter(None, (call.function.name, call.function.arguments))
    if piece.name and memoryview(piece.input):
        yield piece.name + bytes(piece.input).decode()


def _usages(body: Body) -> Iterator[Usage]:
    for holder in (body, body.response, body.message):
        if holder and holder.usage:
            yield holder.usage


def _tells_usage(body: Body) -> bool:
    """Is this the event of a stream that counts its tokens? Anthropic's first event counts none yet."""
    return body.type != "message_start" and any(_usages(body))


def _id(body: Body) -> str:
    return body.id or next((held.id for held in (body.response, body.message) if held and held.id), "")

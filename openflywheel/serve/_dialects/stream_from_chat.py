"""OpenAI's stream, said as Anthropic's."""

from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.serve._dialects.errors import Untranslatable, error_to_anthropic, read, status_in
from openflywheel.serve._dialects.event_stream import Events, frame
from openflywheel.serve._dialects.tools import anthropic_id
from openflywheel.serve._dialects.vocabulary import ChatUsage, messages_usage, stop_reason


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _CallDelta(Struct):
    index: int = 0
    id: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_CallDelta] | None = None


class _Choice(Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(Struct):
    id: str = ""
    model: str = ""
    choices: list[_Choice] = []
    usage: ChatUsage | None = None
    error: Any = None


class _Call(Struct):
    id: str
    block: int


_CHUNK = msgspec.json.Decoder(_Chunk)


class ChatToMessagesStream:
    """Raw bytes of a /v1/chat/completions stream in, events of /v1/messages out.

    Each tool call is a block that stays open to the end, since OpenAI may interleave the arguments of
    several. OpenAI counts tokens at the end: message_start says 0, message_delta the truth (zeros if the
    provider never counts). Logprobs, reasoning that some servers add, and choices after the first are left
    out. After an error chunk, which becomes `event: error`, and after message_stop, nothing more is said.
    """

    def __init__(self) -> None:
        self.finished = False  # whether [DONE] came: a stream that was cut off, or failed, never finishes
        self._failed = False
        self._events = Events()
        self._begun = False
        self._blocks = 0
        self._text: int | None = None  # block of the text that is being said
        self._calls: dict[int, _Call] = {}
        self._open: list[int] = []
        self._refused = False
        self._finish: str | None = None
        self._usage: ChatUsage | None = None

    def feed(self, chunk: bytes) -> bytes:
        """What a client may be sent after this chunk, b"" when nothing. Raises Untranslatable."""
        return b"".join([self._said(data) for _, data in self._events.feed(chunk)])

    def _said(self, data: bytes) -> bytes:
        if self.finished or self._failed:
            return b""
        if data.startswith(b"[DONE]"):
            return self._end()
        chunk = read(_CHUNK, data, "a chunk of the chat completions stream")
        if chunk.error:
            self._failed = True
            return frame(error_to_anthropic(status_in(data), data), "error")
        self._usage = chunk.usage or self._usage
        return b"".join([self._choice(chunk, choice) for choice in chunk.choices if choice.index == 0])

    def _choice(self, chunk: _Chunk, choice: _Choice) -> bytes:
        self._finish = choice.finish_reason or self._finish
        delta = choice.delta or _Delta()
        self._refused = self._refused or bool(delta.refusal)
        out = [self._start(chunk.id, chunk.model)]
        out += [self._say(text) for text in (delta.content, delta.refusal) if text]
        out += [self._call(call) for call in delta.tool_calls or ()]
        return b"".join(out)

    def _start(self, id: str, model: str) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        message = {"id": id, "type": "message", "role": "assistant", "model": model, "content": []}
        unknown = {"stop_reason": None, "stop_sequence": None, "usage": messages_usage(None)}
        return _event("message_start", message=message | unknown)

    def _say(self, text: str) -> bytes:
        begin = b""
        if self._text is None:
            self._text, begin = self._begin({"type": "text", "text": ""})
        return begin + _block_delta(self._text, {"type": "text_delta", "text": text})

    def _call(self, delta: _CallDelta) -> bytes:
        """A new id is a new call: some servers repeat it in every delta, some leave out the index."""
        function, begin = delta.function or _Function(), b""
        call = self._calls.get(delta.index)
        if call is None or (delta.id and delta.id != call.id):
            call, begin = self._begin_call(delta, function)
        if not function.arguments:
            return begin
        return begin + _block_delta(
            call.block, {"type": "input_json_delta", "partial_json": function.arguments}
        )

    def _begin_call(self, delta: _CallDelta, function: _Function) -> tuple[_Call, bytes]:
        if not delta.id or not function.name:
            raise Untranslatable(
                f"the tool call at index {delta.index} of a stream begins without id or name"
            )
        end = self._end_text()
        block = {"type": "tool_use", "id": anthropic_id(delta.id), "name": function.name, "input": {}}
        place, begin = self._begin(block)
        call = self._calls[delta.index] = _Call(delta.id, place)
        return call, end + begin

    def _begin(self, block: dict[str, Any]) -> tuple[int, bytes]:
        place = self._blocks
        self._blocks += 1
        self._open.append(place)
        return place, _event("content_block_start", index=place, content_block=block)

    def _end_text(self) -> bytes:
        if self._text is None:
            return b""
        place, self._text = self._text, None
        self._open.remove(place)
        return _event("content_block_stop", index=place)

    def _end(self) -> bytes:
        self.finished = True
        ended = stop_reason(self._finish, called=bool(self._calls), refused=self._refused)
        delta = {"stop_reason": ended, "stop_sequence": None}
        return b"".join(
            [
                self._start("", ""),
                *(_event("content_block_stop", index=place) for place in self._open),
                _event("message_delta", delta=delta, usage=messages_usage(self._usage)),
                _event("message_stop"),
            ]
        )


def _block_delta(place: int, delta: dict[str, Any]) -> bytes:
    return _event("content_block_delta", index=place, delta=delta)


def _event(type: str, **fields: Any) -> bytes:
    return frame(msgspec.json.encode({"type": type, **fields}), type)

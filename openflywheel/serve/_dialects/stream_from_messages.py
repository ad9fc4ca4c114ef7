"""Anthropic's stream, said as OpenAI's."""

from typing import Any

import msgspec
from msgspec import Struct

from openflywheel.serve._dialects.errors import error_to_openai, read, status_in
from openflywheel.serve._dialects.event_stream import Events, frame
from openflywheel.serve._dialects.replies import StopDetails
from openflywheel.serve._dialects.vocabulary import MessagesUsage, chat_usage, finish_reason


class _Message(Struct):
    id: str
    usage: MessagesUsage


class _Start(Struct):
    message: _Message


class _Block(Struct):
    type: str
    id: str = ""
    name: str = ""
    text: str = ""


class _BlockStart(Struct):
    index: int
    content_block: _Block


class _Delta(Struct):
    type: str
    text: str = ""
    partial_json: str = ""


class _BlockDelta(Struct):
    index: int
    delta: _Delta


class _BlockStop(Struct):
    index: int


class _Stop(Struct):
    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class _MessageDelta(Struct):
    delta: _Stop
    usage: MessagesUsage | None = None


class _Call(Struct):
    place: int  # among the calls; Anthropic's index counts every block
    spoken: bool = False


_START = msgspec.json.Decoder(_Start)
_BLOCK_START = msgspec.json.Decoder(_BlockStart)
_BLOCK_DELTA = msgspec.json.Decoder(_BlockDelta)
_BLOCK_STOP = msgspec.json.Decoder(_BlockStop)
_MESSAGE_DELTA = msgspec.json.Decoder(_MessageDelta)
_WHAT = "an event of Anthropic's stream"


class MessagesToChatStream:
    """Raw bytes of a /v1/messages stream in, chat.completion.chunk events out.

    `created` is a Unix time in seconds; `include_usage` is the client's stream_options.include_usage.
    Thinking, citations, the work of Anthropic's own tools and unknown events are left out. After an error
    event, which becomes `data: {"error":...}`, and after [DONE], nothing more is said.
    """

    def __init__(self, model: str, created: int, include_usage: bool = False) -> None:
        self.finished = (
            False  # whether message_stop came: a stream that was cut off, or failed, never finishes
        )
        self._failed = False
        self._events = Events()
        self._base = {"id": "", "object": "chat.completion.chunk", "created": created, "model": model}
        self._include_usage = include_usage
        self._usage = MessagesUsage()
        self._stop = _Stop()
        self._calls: dict[int, _Call] = {}

    def feed(self, chunk: bytes) -> bytes:
        """What a client may be sent after this chunk, b"" when nothing. Raises Untranslatable."""
        return b"".join([self._said(event, data) for event, data in self._events.feed(chunk)])

    def _said(self, event: str, data: bytes) -> bytes:  # noqa: PLR0911 - one return for each kind of event
        if self.finished or self._failed:
            return b""
        match event:
            case "content_block_delta":
                return self._block_delta(read(_BLOCK_DELTA, data, _WHAT))
            case "content_block_start":
                return self._block_start(read(_BLOCK_START, data, _WHAT))
            case "content_block_stop":
                return self._block_stop(read(_BLOCK_STOP, data, _WHAT))
            case "message_start":
                return self._start(read(_START, data, _WHAT).message)
            case "message_delta":
                return self._message_delta(read(_MESSAGE_DELTA, data, _WHAT))
            case "message_stop":
                return self._end()
            case "error":
                self._failed = True
                return frame(error_to_openai(status_in(data), data))
        return b""

    def _start(self, message: _Message) -> bytes:
        self._base["id"] = message.id
        self._usage.update(message.usage)
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def _block_start(self, event: _BlockStart) -> bytes:
        block = event.content_block
        if block.type == "text" and block.text:
            return self._chunk({"content": block.text})
        if block.type != "tool_use":
            return b""
        call = self._calls[event.index] = _Call(len(self._calls))
        function = {"name": block.name, "arguments": ""}
        named = {"index": call.place, "id": block.id, "type": "function", "function": function}
        return self._chunk({"tool_calls": [named]})

    def _block_delta(self, event: _BlockDelta) -> bytes:
        delta = event.delta
        if delta.type == "text_delta":
            return self._chunk({"content": delta.text})
        call = self._calls.get(event.index)
        return self._arguments(call, delta.partial_json) if call and delta.partial_json else b""

    def _block_stop(self, event: _BlockStop) -> bytes:
        """A call without arguments has no JSON at Anthropic; OpenAI's clients parse the string: {}."""
        call = self._calls.get(event.index)
        return self._arguments(call, "{}") if call and not call.spoken else b""

    def _arguments(self, call: _Call, text: str) -> bytes:
        call.spoken = True
        return self._chunk({"tool_calls": [{"index": call.place, "function": {"arguments": text}}]})

    def _message_delta(self, event: _MessageDelta) -> bytes:
        self._stop = event.delta
        self._usage.update(event.usage or MessagesUsage())
        return b""

    def _end(self) -> bytes:
        self.finished = True
        why = self._stop.stop_details.explanation if self._stop.stop_details else None
        last = self._chunk({"refusal": why} if why else {}, finish_reason(self._stop.stop_reason))
        usage = self._encoded([], chat_usage(self._usage)) if self._include_usage else b""
        return last + usage + frame(b"[DONE]")

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        return self._encoded([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}], None)

    def _encoded(self, choices: list[dict[str, Any]], usage: dict[str, Any] | None) -> bytes:
        counted = {"usage": usage} if self._include_usage else {}  # null in all chunks but the last
        return frame(msgspec.json.encode({**self._base, "choices": choices, **counted}))

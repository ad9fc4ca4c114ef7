"""Server-sent events, as bytes come in: the WHATWG HTML standard, section 9.2.6."""

import re

from openflywheel.serve._dialects.errors import EventTooLarge

LIMIT = 16 * 1024 * 1024  # bytes of one event that are held; beyond, somebody is filling our memory
BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Events:
    """Cuts a stream into events, wherever its bytes are split; `id` and `retry` are left out."""

    def __init__(self) -> None:
        self._tail = bytearray()  # of a line whose end has not come yet
        self._event = ""
        self._data: list[bytes] = []
        self._held = 0  # bytes in _data
        self._after_cr = False
        self._begun = False

    def feed(self, chunk: bytes) -> list[tuple[str, bytes]]:
        """(event, data) of every event that this chunk completes; an event without a name is a "message".

        What follows the last empty line when a stream ends is no event. Raises EventTooLarge above 16 MB.
        """
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        first, *rest = _LINE_END.split(chunk)
        self._tail += first
        self._check(len(self._tail))
        return self._lines(rest) if rest else []

    def _lines(self, rest: list[bytes]) -> list[tuple[str, bytes]]:
        lines = [bytes(self._tail), *rest[:-1]]
        if not self._begun:
            lines[0] = lines[0].removeprefix(BOM)
            self._begun = True
        events = [event for line in lines if (event := self._line(line))]
        self._tail = bytearray(rest[-1])
        self._check(len(self._tail))
        return events

    def _line(self, line: bytes) -> tuple[str, bytes] | None:
        if not line:
            return self._dispatch()
        self._check(len(line))
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._held += len(value) + 1
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        return None

    def _dispatch(self) -> tuple[str, bytes] | None:
        event, data = self._event or "message", self._data
        self._event, self._data, self._held = "", [], 0
        return (event, b"\n".join(data)) if data else None

    def _check(self, more: int) -> None:
        if self._held + more > LIMIT:
            raise EventTooLarge(f"an event of the stream is larger than {LIMIT:,} bytes; it was cut off")


def frame(data: bytes, event: str = "") -> bytes:
    """One event on the wire; data is JSON on one line, or [DONE]."""
    return (b"event: %b\ndata: %b\n\n" % (event.encode(), data)) if event else b"data: %b\n\n" % data

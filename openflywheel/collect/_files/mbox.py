"""A mailbox (RFC 4155): each message is read as a mail of its own."""

import re
from collections.abc import Iterator
from typing import IO

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found, Refused

QUOTED = re.compile(rb">+From ")  # as mboxrd writes lines that would begin a message
LONGEST = 1 << 20  # bytes of a line


def read(file: File) -> Iterator[Found | Drop | File]:
    """Its messages, in order."""
    if file.head(5) != b"From ":
        raise Refused("content is not what the name says")
    mails, number = _Mails(file.stream), 0
    while mails.line:
        number += 1
        yield file.inner(f"{number}.eml", mails.one(), deeper=False)


class _Mails:
    """The lines of a mailbox; `line` is the one that begins the next message."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.line = stream.readline(LONGEST)

    def one(self) -> Iterator[bytes]:
        """The lines of a message."""
        blank = False
        while line := self._next():
            if blank and line.startswith(b"From "):
                return
            blank = line in (b"\n", b"\r\n")
            yield line[1:] if QUOTED.match(line) else line

    def _next(self) -> bytes:
        self.line = self._stream.readline(LONGEST)
        return self.line

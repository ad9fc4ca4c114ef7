"""A file as readers see it, and what they may take out of it."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from msgspec import Struct

CHUNK = 1 << 16
IN_MEMORY = 8 << 20  # bytes; larger ones are spooled to an unnamed file on disk
DEEPEST = 2  # archives inside archives
MEMBERS = 10_000  # of a file and all archives in it, or one a KILO bytes of it
KILO = 1_000
RATIO = 100  # bytes that may be unpacked from one; deflate's own limit is 1,032
FLOOR = (
    16 << 20
)  # bytes that any file may unpack to: small tables of one value shrink more than a hundredfold
TOTAL = 4 << 30  # bytes that no file may unpack to; large ones go to disk
WHOLE = 1 << 28  # bytes of a file that can only be read at once, in memory


class Refused(Exception):
    """A file that is not read; its text is the reason that is counted."""


class Spent(Refused):
    """A file from which too much was unpacked: nothing more is read of it."""


class Found(Struct, frozen=True, kw_only=True):
    """What a reader finds: a text with facts about it, a row of a table, or a piece of media.

    `anchor` is the place in the file, `person` whom it is by, `mime` and `content` are media.
    """

    text: str = ""
    row: dict[str, Any] | None = None
    meta: dict[str, str] = {}
    anchor: str = ""
    person: str = ""
    license: str = ""
    mime: str = ""
    content: bytes = b""


class Allowance:
    """How much may still be unpacked from a file and from all that is in it."""

    def __init__(self, size: int) -> None:
        self.bytes = min(TOTAL, max(FLOOR, RATIO * size))
        self.members = max(MEMBERS, size // KILO)

    def take(self, size: int) -> None:
        """Unpack some bytes. Raises Spent."""
        self.bytes -= size
        if self.bytes < 0:
            raise Spent("unpacks to too much")

    def member(self) -> None:
        """Unpack one member more. Raises Spent."""
        self.members -= 1
        if self.members < 0:
            raise Spent("too many archive members")


class File:
    """A name, a seekable stream of bytes, and what may be unpacked from it.

    `depth` counts the archives that it is in; `single` is one that the user named itself.
    """

    def __init__(
        self,
        name: str,
        stream: IO[bytes],
        size: int,
        allowance: Allowance | None = None,
        depth: int = 0,
        *,
        single: bool = False,
    ) -> None:
        self.name, self.stream, self.size, self.depth, self.single = name, stream, size, depth, single
        self.allowance = allowance or Allowance(size)

    def head(self, length: int = 1 << 12) -> bytes:
        """Its first bytes; the stream stands at the beginning again."""
        self.stream.seek(0)
        found = self.stream.read(length)
        self.stream.seek(0)
        return found

    def whole(self) -> bytes:
        """All of its bytes. Raises Refused when they are too many to be in memory."""
        if self.size > WHOLE:
            raise Refused("too large to be read at once")
        self.stream.seek(0)
        return self.stream.read()

    def inner(self, name: str, chunks: Iterator[bytes], *, deeper: bool = True) -> "File":
        """A member of this file, unpacked under its allowance. Raises Refused.

        `deeper` is False where the two are one archive: tar.gz, a mail of a mailbox.
        """
        if deeper and self.depth >= DEEPEST:
            raise Refused("archive nested too deep")
        if deeper:
            self.allowance.member()
        stream, size = spool(self._counted(chunks))
        return File(f"{self.name}!/{name}", stream, size, self.allowance, self.depth + deeper)

    def _counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.allowance.take(len(chunk))
            yield chunk


def spool(chunks: Iterator[bytes]) -> tuple[IO[bytes], int]:
    """The chunks as a seekable stream, with its size; it has no name on disk that anybody could choose."""
    stream = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (who reads it closes it)
    size = 0
    try:
        for chunk in chunks:
            size += stream.write(chunk)
    except BaseException:
        stream.close()
        raise
    stream.seek(0)
    return stream, size


def chunks(stream: Any) -> Iterator[bytes]:
    """What a stream holds, in pieces."""
    while chunk := stream.read(CHUNK):
        yield chunk

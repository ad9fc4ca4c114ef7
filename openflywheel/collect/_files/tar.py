"""TAR archives: regular members are read in memory; links, devices and names that climb out are refused."""

import tarfile
from collections.abc import Iterator
from typing import Any

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found, Refused, Spent, chunks
from openflywheel.collect._files.member import refused

HEADERS = 1 << 20  # bytes that tarfile may read at once: names and attributes, which it keeps


class _Sparing:
    """A stream that gives at most so much at once, and never goes back behind a header."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int) -> bytes:
        """`size` bytes. Raises Refused."""
        if not 0 <= size <= HEADERS:
            raise Refused("unsafe archive member")
        return bytes(self._stream.read(size))


def read(file: File) -> Iterator[Found | Drop | File]:
    """Its members, in order."""
    end, most = 0, file.allowance.members
    with tarfile.open(fileobj=_Sparing(file.stream), mode="r:") as archive:  # type: ignore[call-overload]
        for number, member in enumerate(archive):
            if number >= most:
                raise Spent("too many archive members")
            if member.offset < end or member.size < 0:  # negative sizes lead back for ever (CVE-2025-8194)
                raise Refused("unsafe archive member")
            end = member.offset_data
            yield from _one(file, archive, member)


def _one(file: File, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[Drop | File]:
    if member.isdir():
        return
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        yield Drop("unsafe archive member")
    elif reason := refused(member.name):
        yield Drop(reason)
    else:
        yield from _inner(file, member.name, content)


def _inner(file: File, name: str, content: Any) -> Iterator[Drop | File]:
    try:
        yield file.inner(name, chunks(content))
    except Spent:
        raise
    except Refused as why:
        yield Drop(str(why))

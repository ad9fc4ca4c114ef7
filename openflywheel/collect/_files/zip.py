"""ZIP archives: members are unpacked in memory, one after the other, and never under a name of theirs."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import RATIO, File, Found, Refused, Spent, chunks
from openflywheel.collect._files.member import refused

ENTRY = 256  # bytes of a member in the central directory: 46 and its name
HEADER = 30  # bytes before a member's name
SMALL = 1 << 20  # bytes to which any member may unpack


class _Sparing:
    """A stream that gives at most so much at once: zipfile reads the whole central directory in one go."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._most = stream, most
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes. Raises Refused."""
        found = self._stream.read(self._most + 1 if size < 0 else min(size, self._most + 1))
        if len(found) > self._most:
            raise Refused("too many archive members")
        return found


def read(file: File) -> Iterator[Found | Drop | File]:
    """Its members, in order."""
    with opened(file) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if reason := _why_not(member):
                yield Drop(reason)
                continue
            try:
                yield file.inner(member.filename, unpacked(archive, member))
            except Spent:
                raise
            except Refused as why:
                yield Drop(str(why))
            except (zipfile.BadZipFile, zlib.error, EOFError):
                yield Drop("broken archive member")


def opened(file: File) -> zipfile.ZipFile:
    """The archive, once its directory is believable. Raises Refused, BadZipFile."""
    most = file.allowance.members
    archive = zipfile.ZipFile(_Sparing(file.stream, ENTRY * most))
    members = archive.infolist()
    if len(members) > most:
        raise Refused("too many archive members")
    if _overlap(members):
        raise Refused("archive members overlap")
    if sum(m.file_size for m in members) > file.allowance.bytes:
        raise Spent("unpacks to too much")
    return archive


def _overlap(members: list[zipfile.ZipInfo]) -> bool:
    """Do members share bytes? So the densest bombs are made (Fifield 2019, WOOT)."""
    end = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        if member.header_offset < end:
            return True
        end = member.header_offset + HEADER + len(member.filename.encode()) + member.compress_size
    return False


def _why_not(member: zipfile.ZipInfo) -> str:
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "unsafe archive member"
    if member.flag_bits & 0x1:
        return "encrypted archive member"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "unknown compression"  # bz2 and lzma unpack a piece to any size before anybody can count
    if member.file_size > max(SMALL, RATIO * member.compress_size):
        return "unpacks to too much"
    return refused(member.filename)


def unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's content in pieces."""
    with archive.open(member) as stream:
        yield from chunks(stream)

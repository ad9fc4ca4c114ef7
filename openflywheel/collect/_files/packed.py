"""One file compressed by gzip, bzip2 or xz; name.csv.gz is read as name.csv, name.tgz as name.tar."""

import bz2
import gzip
import lzma
from collections.abc import Iterator
from pathlib import PurePosixPath

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import CHUNK, File, Found, Refused, chunks
from openflywheel.collect._files.kinds import kind_of

MEMORY = 128 << 20  # bytes that xz may ask for; its strongest preset takes 65 MB, a header may ask for 4 GB
TAR = (".tgz", ".tbz2", ".txz")


def read(file: File) -> Iterator[Found | Drop | File]:
    """The file in it."""
    name = PurePosixPath(file.name)
    inner = name.stem + ".tar" if name.suffix.lower() in TAR else name.stem
    kind = kind_of(inner)
    if kind and kind.name == "packed":
        raise Refused("archive nested too deep")
    yield file.inner(inner, _unpacked(file), deeper=False)


def _unpacked(file: File) -> Iterator[bytes]:
    head = file.head(3)
    if head.startswith(b"\x1f\x8b"):
        return chunks(gzip.GzipFile(fileobj=file.stream, mode="rb"))
    return chunks(bz2.BZ2File(file.stream, "rb")) if head == b"BZh" else _xz(file)


def _xz(file: File) -> Iterator[bytes]:
    """Streams of xz, perhaps several; lzma's own file object sets no limit to memory. Raises LZMAError."""
    packed = b""
    while packed := packed or file.stream.read(CHUNK):
        unpacker = lzma.LZMADecompressor(memlimit=MEMORY)
        while True:
            yield unpacker.decompress(packed, CHUNK)
            if unpacker.eof:
                break
            packed = file.stream.read(CHUNK) if unpacker.needs_input else b""
            if unpacker.needs_input and not packed:
                raise EOFError("the file ends too early")
        packed = unpacker.unused_data.lstrip(b"\0")

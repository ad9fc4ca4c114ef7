"""Office files are ZIP archives of XML: they are looked through before a library opens them.

The libraries unpack members whole and trust what they find. ECMA-376 (part 2) forbids document
types, and without one there are no entities.
"""

from collections.abc import Iterator
from itertools import pairwise
from zipfile import ZipFile

from openflywheel.collect._files.file import File, Refused
from openflywheel.collect._files.zip import opened, unpacked

XML = (".xml", ".rels", ".vml")
TYPES = tuple("<!DOCTYPE".encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be"))
LONGEST = max(map(len, TYPES))


def check(file: File) -> None:
    """Raises Refused for a bomb, a document type, an encrypted member. Leaves the stream at its beginning."""
    with opened(file) as archive:
        for member in archive.infolist():
            if member.flag_bits & 0x1:
                raise Refused("encrypted file")
            xml = member.filename.lower().endswith(XML)
            for before, piece in pairwise(_pieces(archive, member.filename, file)):
                if xml and any(said in before[-LONGEST:] + piece for said in TYPES):
                    raise Refused("XML with a document type")
    file.stream.seek(0)


def _pieces(archive: ZipFile, name: str, file: File) -> Iterator[bytes]:
    """An empty one, then a member's content under the file's allowance."""
    yield b""
    for piece in unpacked(archive, archive.getinfo(name)):
        file.allowance.take(len(piece))
        yield piece

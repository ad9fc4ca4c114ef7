"""Which reader a file has: its suffix chooses, its first bytes must agree.

The libraries behind the readers are imported when the first file of their kind comes.
"""

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import PurePosixPath

from msgspec import Struct

from openflywheel.base.errors import MissingExtra
from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found, Refused

Reader = Callable[[File], Iterator[Found | Drop | File]]


class Kind(Struct, frozen=True):
    """A kind of file; `magic` is how its content begins (none: a text), `extra` brings its library."""

    name: str
    suffixes: tuple[str, ...]
    magic: bytes = b""
    extra: str = ""

    def begins(self, head: bytes) -> bool:
        """Does content begin as this kind does?"""
        return bool(self.magic) and re.match(self.magic, head, re.DOTALL) is not None


ZIP = rb"PK(\x03\x04|\x05\x06)"
IMAGE = rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP|II\*\x00|MM\x00\*|BM"
FILM = rb".{4}(ftyp|moov|mdat|wide|free|skip)|\x1aE\xdf\xa3|RIFF.{4}(WAVE|AVI )|ID3|\xff[\xe2-\xfb]|fLaC|OggS"

KINDS = (
    Kind("json", (".json",)),
    Kind("ndjson", (".jsonl", ".ndjson")),
    Kind("csv", (".csv", ".tsv")),
    Kind("xlsx", (".xlsx", ".xlsm"), ZIP, "documents"),
    Kind("parquet", (".parquet", ".pq"), rb"PAR1"),
    Kind("html", (".html", ".htm", ".xhtml")),
    Kind("markdown", (".md", ".markdown")),
    Kind("text", (".txt", ".text", ".rst", ".log")),
    Kind("pdf", (".pdf",), rb".{0,1024}%PDF-", "documents"),
    Kind("docx", (".docx",), ZIP, "documents"),
    Kind("pptx", (".pptx",), ZIP, "documents"),
    Kind("eml", (".eml",)),
    Kind("mbox", (".mbox",)),
    Kind("image", (".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp"), IMAGE, "media"),
    Kind(
        "film",
        (".mp4", ".m4v", ".m4a", ".mov", ".webm", ".mkv", ".avi", ".mp3", ".wav", ".flac", ".ogg", ".opus"),
        FILM,
        "media",
    ),
    Kind("zip", (".zip",), ZIP),
    Kind("tar", (".tar",), rb".{257}ustar"),
    Kind("packed", (".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"), rb"\x1f\x8b|BZh|\xfd7zXZ\x00"),
)
TABLES = ("csv", "json", "ndjson", "parquet", "xlsx")
MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # of texts in UTF-8 and UTF-16
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Office 97; encrypted by later ones ([MS-OFFCRYPTO])
_OF = {suffix: kind for kind in KINDS for suffix in kind.suffixes}


def kind_of(name: str) -> Kind | None:
    """The kind that a name speaks of."""
    return _OF.get(PurePosixPath(name).suffix.lower())


def judged(file: File) -> Kind:
    """A file's kind, by name and content. Raises Refused."""
    kind, head = kind_of(file.name), file.head()
    if kind is None:
        raise Refused("unknown kind of file")
    if not head:
        raise Refused("empty file")
    if kind.extra and head.startswith(OLE):
        raise Refused("encrypted or old office file")
    fits = kind.begins(head) if kind.magic else _is_text(head)
    if not fits:
        raise Refused("content is not what the name says")
    return kind


def _is_text(head: bytes) -> bool:
    if head.startswith(MARKS):
        return True
    return b"\0" not in head and not re.match(rb"%PDF-|PK\x03\x04|PAR1|\x1f\x8b|\x89PNG", head)


def reader(kind: Kind) -> Reader:
    """The function that reads a kind. Raises MissingExtra."""
    try:
        read: Reader = import_module(f"openflywheel.collect._files.{kind.name}").read
    except ModuleNotFoundError as error:
        if not kind.extra or (error.name or "").startswith("openflywheel"):
            raise
        raise MissingExtra(
            f"a {kind.name} file needs {error.name!r}: pip install 'openflywheel[{kind.extra}]'"
        ) from error
    return read

"""A folder of documents: one row a file, many files a shard."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
from msgspec import Struct

from openflywheel.base.ids import content_id
from openflywheel.base.instruments.columns import schema_of
from openflywheel.base.nouns import Record
from openflywheel.curate._engine.record import ROWS, Terms, records

SHARD = 8 << 20  # bytes of files
WHOLE = 1 << 28  # bytes of a file that can only be read at once, in memory
TEXTS = (".md", ".markdown", ".txt", ".text", ".rst", ".log")
OFFICE = "application/vnd.openxmlformats-officedocument."
MIMES = {
    ".html": "text/html", ".htm": "text/html", ".xhtml": "application/xhtml+xml",
    ".pdf": "application/pdf",
    ".docx": OFFICE + "wordprocessingml.document",
    ".pptx": OFFICE + "presentationml.presentation",
    ".xlsx": OFFICE + "spreadsheetml.sheet",
    ".eml": "message/rfc822",
    ".csv": "text/csv", ".tsv": "text/tab-separated-values",
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
    ".webp": "image/webp", ".tif": "image/tiff", ".tiff": "image/tiff", ".bmp": "image/bmp",
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm",
    ".mkv": "video/x-matroska", ".avi": "video/x-msvideo",
    ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".wav": "audio/wav", ".flac": "audio/flac",
    ".ogg": "audio/ogg", ".opus": "audio/ogg",
}  # fmt: skip


class Document(Struct, frozen=True):
    """A file; `uri` is its path from the folder that was named, so that it is the same on every machine."""

    path: str
    uri: str
    size: int
    at: float

    @property
    def name(self) -> str:
        """Says what is in it: another name, another content."""
        return content_id(self.uri, str(self.size), str(self.at))


class Documents(Struct, frozen=True, kw_only=True):
    """Some files of a folder."""

    name: str
    files: tuple[Document, ...]
    terms: Terms

    @property
    def rows(self) -> int:
        return len(self.files)

    def read(self) -> Iterator[pa.Table]:
        """See `reading.read`. `content` holds the bytes of what `extract` must read, `text` the others'."""
        rows = [_row(file) for file in self.files]
        columns = {name: [row.get(name) for row in rows] for name in ("text", "uri", "parts", "at")}
        table = pa.table({n: pa.array(v, schema_of(Record).field(n).type) for n, v in columns.items()})
        for name, kind in (("content", pa.binary()), ("drop", pa.string())):
            table = table.append_column(name, pa.array([row.get(name) for row in rows], kind))
        yield from records(table, self.terms, 0.0, self.name)


def _row(file: Document) -> dict[str, object]:
    row: dict[str, object] = {"uri": file.uri, "at": file.at}
    suffix = Path(file.path).suffix.lower()
    if suffix not in MIMES and suffix not in TEXTS:
        return row | {"drop": "read: unknown kind of file"}
    if file.size > WHOLE:
        return row | {"drop": "read: file too large"}
    raw = Path(file.path).read_bytes()
    if not raw:
        return row | {"drop": "read: empty file"}
    if suffix in TEXTS:
        return row | {"text": _text(raw)}
    part = {"mime": MIMES[suffix], "uri": file.uri, "digest": sha256(raw).hexdigest()}
    return row | {"content": raw, "parts": [part]}


def _text(raw: bytes) -> str:
    """A text in UTF-8, or as its byte order mark says, else in Windows-1252, the likeliest of the rest."""
    try:
        return raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def documents(files: Sequence[Document], terms: Terms) -> list[Documents]:
    """Shards of files, in their order; small ones, so that processes share them evenly."""
    groups: list[list[Document]] = []
    size = 0
    for file in files:
        size += file.size
        if not groups or size > SHARD or len(groups[-1]) == ROWS:
            groups.append([])
            size = file.size
        groups[-1].append(file)
    return [_shard(group, terms) for group in groups]


def _shard(files: Sequence[Document], terms: Terms) -> Documents:
    return Documents(name=content_id(repr(files), repr(terms)), files=tuple(files), terms=terms)

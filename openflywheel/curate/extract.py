"""The main text of documents: HTML pages by a classifier of their blocks, other kinds by their readers."""

import mimetypes
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from openflywheel.base.errors import StoreError
from openflywheel.curate._batches import (
    Batch,
    as_table,
    kept,
    mark_drops,
    with_column,
    with_meta,
    with_text,
)
from openflywheel.curate._extract.cache import Cache
from openflywheel.curate._extract.facts import NAMES
from openflywheel.curate._extract.pages import Extracted, Tier, read, version
from openflywheel.curate._going import Index, spread

HTML = ("text/html", "application/xhtml+xml")
UNSAID = ("", "application/octet-stream", "binary/octet-stream")
MEDIA = ("image/", "audio/", "video/")  # curate.media's
CACHE = "extracted.db"
CONFIDENCE = "extract_confidence"
NO_TEXT = "extract: no main text"
LOST = Extracted(refused="document missing")
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body|title|meta|div|p|h1)\b", re.IGNORECASE
)


class Objects(Protocol):
    """The store of media (store/objects.py)."""

    def get(self, digest: str) -> bytes: ...


class Document(Protocol):
    """What a reader of documents gives (wheel/documents.py); `refused` says why there is no text."""

    @property
    def text(self) -> str: ...
    @property
    def meta(self) -> dict[str, str]: ...
    @property
    def refused(self) -> str: ...


Reader = Callable[[bytes, str], Document]


class Source(Struct, frozen=True):
    """A document of a row: its bytes are handed over with the row, or else in the object store."""

    row: int
    mime: str
    uri: str
    digest: str
    content: bytes | None


def extract(
    batch: Batch,
    *,
    tier: Tier = "careful",
    objects: Objects,
    documents: Reader,
    workspace: Path | None = None,
) -> pa.Table:
    """Put the main text of documents in place of the rows' texts, as Markdown.

    A row's document is its column "content" (bytes), or else its first part in the object store; rows with
    neither, and media, keep their text. HTML: blocks of text are judged by boosted trees over their own
    features and those of the areas and blocks around them (Kohlschuetter and others, WSDM 2010; Readability,
    2009), and those are kept whose expected F1 is highest (Lewis, SIGIR 1995). Menus, comments, notices and
    related links go; headings, lists, tables of data and code stay. `tier`: "careful" judges pages again by
    four times as many trees where the expected F1 is below .95; "fast" does not.

    Marks "title", "author", "published" (ISO 8601), "license" and "canonical" (URLs), "lang_declared" and
    "site" as the page states them, and "extract_confidence": the expected F1, two digits. Of a page
    5 MB are read.
    Results are kept by content in `workspace`. Reasons: "extract: no main text", or "extract: " and what
    the reader of other kinds says. Raises MissingExtra when a kind of document needs one.
    """
    table = as_table(batch)
    sources = _sources(table)
    cache = Cache(workspace / CACHE) if workspace else None
    found = _read(sources, tier, objects, documents, cache)
    return _put(table, sources, found)


def _sources(table: pa.Table) -> list[Source]:
    """The documents of rows that go on."""
    rows = table.select([name for name in ("uri", "parts", "content") if name in table.column_names])
    there = pc.greater(pc.list_value_length(rows["parts"]), 0)
    if "content" in rows.column_names:
        there = pc.or_kleene(there, pc.is_valid(rows["content"]))
    going = np.flatnonzero(pc.and_(kept(table), pc.fill_null(there, False)).to_numpy())
    found = zip(going.tolist(), rows.take(going).to_pylist(), strict=True)
    return [source for row, said in found if not (source := _source(row, said)).mime.startswith(MEDIA)]


def _source(row: int, said: Mapping[str, Any]) -> Source:
    part = (said["parts"] or [{"mime": "", "uri": said["uri"], "digest": ""}])[0]
    content, digest = said.get("content"), part["digest"]
    if content is not None and not digest:
        digest = sha256(content).hexdigest()
    mime = part["mime"].partition(";")[0].strip().lower()
    return Source(row, mime, part["uri"] or said["uri"] or "", digest, content)


def _read(
    sources: Sequence[Source], tier: Tier, objects: Objects, documents: Reader, cache: Cache | None
) -> list[Extracted]:
    """What is in each document: each content once, and only what the cache does not know."""
    edition = version()
    keys = [f"{source.digest} {source.mime} {tier} {edition}" for source in sources]
    known = cache.get(keys) if cache and keys else {}
    missing = {key: source for key, source in zip(keys, sources, strict=True) if key not in known}
    lost, contents = _contents(missing, objects)
    known |= dict.fromkeys(lost, LOST)
    missing = {key: source for key, source in missing.items() if key in contents}
    pages = [key for key, source in missing.items() if _is_html(source, contents[key])]
    new = dict(zip(pages, read([contents[key] for key in pages], tier), strict=True))
    for key, source in missing.items():
        if key not in new:
            new[key] = _document(documents(contents[key], _name(source)))
    if cache and new:
        cache.put(new)
    known |= new
    return [known[key] for key in keys]


def _contents(sources: Mapping[str, Source], objects: Objects) -> tuple[list[str], dict[str, bytes]]:
    """Whose bytes are not there any more, or were changed, and the bytes of the others."""
    lost, found = [], {}
    for key, source in sources.items():
        try:
            found[key] = objects.get(source.digest) if source.content is None else source.content
        except StoreError:
            lost.append(key)
    return lost, found


def _is_html(source: Source, content: bytes) -> bool:
    return source.mime in HTML or (source.mime in UNSAID and bool(_HTML.match(content[:1_024])))


def _name(source: Source) -> str:
    """The name of the document's file; its suffix says the kind, as the reader expects."""
    name = PurePosixPath(_path(source.uri)).name
    if source.mime in UNSAID or mimetypes.guess_type(name)[0] == source.mime:
        return name
    return f"{name}{mimetypes.guess_extension(source.mime) or ''}"


def _path(uri: str) -> str:
    try:
        return urlsplit(uri).path
    except ValueError:  # an address that is none, such as "http://["
        return ""


def _document(found: Document) -> Extracted:
    facts = {name: value for name, value in found.meta.items() if name in NAMES}
    return Extracted(found.text, facts, refused=found.refused)


def _put(table: pa.Table, sources: Sequence[Source], found: Sequence[Extracted]) -> pa.Table:
    """The table with texts and facts, without bytes but media's; rows whose document says nothing go."""
    rows = np.array([source.row for source in sources], np.int64)
    texts = _column(table, rows, [each.text for each in found])
    refused = [
        f"extract: {each.refused}" if each.refused else None if each.text else NO_TEXT for each in found
    ]
    table = with_text(table, pc.coalesce(texts, table["text"]))
    for name in NAMES:
        table = with_meta(table, name, _column(table, rows, [each.meta.get(name) for each in found]))
    sure = [f"{each.confidence:.2f}" if each.confidence else None for each in found]
    table = with_meta(table, CONFIDENCE, _column(table, rows, sure))
    drops = _column(table, rows, refused)
    for reason in sorted({reason for reason in refused if reason}):
        table = mark_drops(table, pc.equal(drops, reason), reason)
    return _without_bytes(table, rows) if "content" in table.column_names else table


def _without_bytes(table: pa.Table, rows: Index) -> pa.Table:
    """The table without the bytes of documents that were read; `media` wants those of pictures."""
    read = pa.array(np.isin(np.arange(table.num_rows), rows))
    left = pc.if_else(pc.and_not(kept(table), read), table["content"], None)
    if left.null_count == table.num_rows:
        return table.drop_columns("content")
    return with_column(table, "content", left)


def _column(table: pa.Table, rows: Index, values: Sequence[str | None]) -> pa.Array:
    """A column with some rows' values, null elsewhere."""
    return spread(pa.array(values, pa.string()), rows, table.num_rows)

from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from msgspec import Struct

from openflywheel.base import door
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Part, Record
from openflywheel.curate._batches import meta
from openflywheel.curate.extract import extract

TEXT = "The wheel turns, and each turn makes the next one easier than it was before it began. " * 3
MENU = "".join(f'<li><a href="/{n}">Section {n}</a></li>' for n in range(8))
PAGE = (
    f'<html lang="en"><title>Wheels</title><body><nav class="menu"><ul>{MENU}</ul></nav>'
    f"<article><h1>Wheels</h1>"
    f'<p>{TEXT}</p><p>{TEXT}</p></article><div class="footer"><a href="/x">Imprint</a></div></body></html>'
).encode()
MAIN = f"# Wheels\n\n{TEXT.strip()}\n\n{TEXT.strip()}"


class Document(Struct, frozen=True):
    text: str = ""
    meta: dict[str, str] = {}
    refused: str = ""


class Documents:
    """A reader that says what it was given."""

    def __init__(self, answer: Document | None = None) -> None:
        self.asked: list[tuple[bytes, str]] = []
        self._answer = answer

    def __call__(self, content: bytes, name: str) -> Document:
        self.asked.append((content, name))
        return self._answer or Document(f"read: {content.decode()}", {"title": name, "pages": "3"})


class Objects:
    def __init__(self, *contents: bytes) -> None:
        self.known = {sha256(content).hexdigest(): content for content in contents}
        self.asked = 0

    def get(self, digest: str) -> bytes:
        self.asked += 1
        return self.known[digest]


def part(content: bytes, mime: str = "text/html", uri: str = "https://a.example/x") -> Part:
    return Part(mime=mime, uri=uri, digest=sha256(content).hexdigest())


def record(*parts: Part, text: str = "") -> Record:
    return Record(text=text, source="test", uri="https://a.example/x", parts=parts)


def batch(
    *records: Record, drops: tuple[str | None, ...] = (), contents: tuple[bytes | None, ...] = ()
) -> pa.Table:
    table = pa.Table.from_batches([to_batch(records, Record)])
    table = table.append_column("drop", pa.array(drops or [None] * len(records), pa.string()))
    return table.append_column("content", pa.array(contents, pa.binary())) if contents else table


def run(
    table: pa.Table, *contents: bytes, documents: Any = None, workspace: Path | None = None, **settings: Any
) -> pa.Table:
    documents = documents or Documents()
    return extract(table, objects=Objects(*contents), documents=documents, workspace=workspace, **settings)


def said(table: pa.Table, name: str) -> list[str | None]:
    values: list[str | None] = meta(table, name).to_pylist()
    return values


@pytest.mark.parametrize("tier", ["careful", "fast"])
def test_a_page_of_the_store_becomes_its_main_text(tier: str) -> None:
    table = run(batch(record(part(PAGE), text="Home quick text")), PAGE, tier=tier)
    assert table["text"].to_pylist() == [MAIN]
    assert said(table, "title") == ["Wheels"]
    assert said(table, "lang_declared") == ["en"]
    assert said(table, "author") == [None]
    assert 0.5 < float(said(table, "extract_confidence")[0] or 0) <= 1
    assert len(said(table, "extract_confidence")[0] or "") == 4


def test_bytes_that_come_with_the_row_are_read_and_taken_out() -> None:
    table = run(batch(record(part(PAGE)), record(text="hi"), contents=(PAGE, None)))
    assert table["text"].to_pylist() == [MAIN, "hi"]
    assert "content" not in table.column_names


def test_rows_without_a_document_and_media_keep_their_texts() -> None:
    objects = Objects()
    rows = batch(record(text="hi"), record(part(b"x", "image/png"), text="a picture"))
    table = extract(rows, objects=objects, documents=Documents())
    assert table["text"].to_pylist() == ["hi", "a picture"]
    assert table["drop"].to_pylist() == [None, None]
    assert objects.asked == 0


def test_a_batch_without_documents_has_the_same_columns() -> None:
    assert run(batch(record(text="hi"))).schema == run(batch(record(part(PAGE))), PAGE).schema
    assert run(batch()).num_rows == 0


def test_a_page_without_text_is_dropped() -> None:
    table = run(batch(record(part(b"<p></p>"), text="x")), b"<p></p>")
    assert table["drop"].to_pylist() == ["extract: no main text"]


def test_dropped_rows_are_not_read() -> None:
    objects = Objects()
    rows = batch(record(part(PAGE), text="x"), drops=("length: too short",))
    table = extract(rows, objects=objects, documents=Documents())
    assert (table["drop"].to_pylist(), table["text"].to_pylist()) == (["length: too short"], ["x"])
    assert objects.asked == 0


def test_other_kinds_go_to_their_reader() -> None:
    reader = Documents()
    rows = batch(
        record(part(b"one", "application/pdf", "docs/a.pdf")),
        record(part(b"two", "application/pdf; version=1.7", "https://a.example/download?id=3")),
    )
    table = run(rows, b"one", b"two", documents=reader)
    assert reader.asked == [(b"one", "a.pdf"), (b"two", "download.pdf")]
    assert table["text"].to_pylist() == ["read: one", "read: two"]
    assert said(table, "title") == ["a.pdf", "download.pdf"]
    assert said(table, "extract_confidence") == [None, None]


def test_what_a_reader_refuses_is_dropped_with_its_reason() -> None:
    table = run(
        batch(record(part(b"x", "application/pdf"))), b"x", documents=Documents(Document(refused="encrypted"))
    )
    assert table["drop"].to_pylist() == ["extract: encrypted"]


def test_a_page_of_no_said_kind_is_known_by_its_start() -> None:
    reader = Documents()
    rows = batch(record(part(PAGE, "application/octet-stream")), record(part(b"x", "", "a.md")))
    table = run(rows, PAGE, b"x", documents=reader)
    assert said(table, "title")[0] == "Wheels"
    assert reader.asked == [(b"x", "a.md")]


def test_bytes_without_a_part_are_read_as_well() -> None:
    table = run(batch(record(), record(), contents=(PAGE, PAGE)))
    assert said(table, "title") == ["Wheels", "Wheels"]


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    reader, rows = Documents(), batch(record(part(b"x", "application/pdf", "a.pdf")), record(part(PAGE)))
    first = run(rows, b"x", PAGE, documents=reader, workspace=tmp_path)
    again = extract(rows, objects=Objects(), documents=reader, workspace=tmp_path)
    assert again == first
    assert len(reader.asked) == 1


def test_the_tiers_are_kept_apart(tmp_path: Path) -> None:
    run(batch(record(part(PAGE))), PAGE, workspace=tmp_path, tier="fast")
    with pytest.raises(KeyError):
        run(batch(record(part(PAGE))), workspace=tmp_path, tier="careful")


def test_each_content_is_read_once() -> None:
    reader = Documents()
    run(batch(*[record(part(b"x", "application/pdf", "a.pdf"))] * 3), b"x", documents=reader)
    assert len(reader.asked) == 1


def test_it_is_a_plugin_with_one_setting() -> None:
    about = door.describe("curate", "extract")
    assert [setting.name for setting in about.settings] == ["tier"]
    assert set(about.handed) == {"objects", "documents", "workspace"}

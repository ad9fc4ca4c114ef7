import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate.enrich import enrich

DAY = 1_767_225_600.0  # 2026-01-01
HASHES = "An index on a hash has buckets. A bucket holds pages, and an index finds its bucket by the hash."

texts = st.lists(st.text(max_size=80).map(lambda t: t.encode(errors="replace").decode()), max_size=5)


def batch(records: list[Record], drops: list[str | None] | None = None) -> pa.Table:
    rows = to_batch(records, Record)
    return pa.Table.from_batches([
        rows.append_column("drop", pa.array(drops or [None] * len(records), pa.string()))
    ])  # fmt: skip


def record(text: str = "a text", **fields: Any) -> Record:
    return Record(**{"text": text, "source": "docs", "at": DAY, **fields})


def facts(*records: Record, folder: Path = Path(), **given: Any) -> list[dict[str, str | None]]:
    rows = enrich(batch(list(records)), folder=folder, **given).to_pylist()
    return [{k.removeprefix("meta."): v for k, v in row.items() if k.startswith("meta.")} for row in rows]


def test_what_a_row_comes_from() -> None:
    [row] = facts(record(uri="https://u:p@Docs.Example.COM:8443/a?b"))
    assert row["host"] == "docs.example.com"
    assert "first_seen" not in row  # that is the row's `at`


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("", None), ("/home/a.md", None), ("file:///a", None), ("s3://bucket/key", "bucket"),
        ("http://[::1]:80/x", "[::1]"), ("https://a.org#x", "a.org"),
        ("https://evil.org/@good.org", "evil.org"),
    ],
)  # fmt: skip
def test_hosts(uri: str, host: str | None) -> None:
    assert facts(record(uri=uri))[0]["host"] == host


@pytest.mark.parametrize(
    ("text", "meta", "section"),
    [
        ("# Own #\nx", {"section": "Told", "title": "Title"}, "Told"),
        ("\n## Own #\nx", {"title": "Title"}, "Own"),
        ("x\n# Later\n", {"title": "Title"}, "Title"),
        ("x", {}, None),
    ],
)
def test_sections(text: str, meta: dict[str, str], section: str | None) -> None:
    assert facts(record(text, meta=meta))[0]["section"] == section


def test_the_best_words_come_first() -> None:
    [row] = facts(record(HASHES), keywords=3)
    assert row["keywords"] is not None
    assert set(row["keywords"].split("; ")) == {"hash", "index", "bucket"}


def test_the_title_counts() -> None:
    plain, titled = facts(record(HASHES), record(HASHES, meta={"title": "Pages"}), keywords=1)
    assert plain["keywords"] != titled["keywords"] == "pages"


def test_no_keywords_where_none_are_wanted_or_found() -> None:
    assert "keywords" not in facts(record(HASHES), keywords=0)[0]
    assert [row["keywords"] for row in facts(record("of the 12"), record(""), record("今天天气"))] == [
        None
    ] * 3


def test_credibility_is_of_the_nearest_name() -> None:
    said = {"example.com": 0.9, "docs.example.com": 0.5, "Forum": 0.2, "com": 0}
    uris = ["https://docs.example.com", "https://a.b.example.com", "https://other.com", "https://x.org", ""]
    rows = facts(*(record(uri=uri) for uri in uris), record(source="forum"), credibility=said)
    assert [row["credibility"] for row in rows] == ["0.5", "0.9", "0.0", None, None, "0.2"]
    assert "credibility" not in facts(record())[0]


@pytest.mark.parametrize("wrong", [{"keywords": -1}, {"credibility": {"a": 1.5}}, {"entities": "none.jsonl"}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"curate\.enrich"):
        facts(record(), **wrong)


def test_entities_are_those_of_a_file(tmp_path: Path) -> None:
    lines = [{"id": "p-1", "name": "Widget Pro", "aliases": ["WPro"]}, {"id": "c-1", "name": "Acme Inc."}]
    (tmp_path / "things.jsonl").write_text("\n".join(map(json.dumps, lines)))
    rows = facts(
        record("The wpro by Acme."), record("a widget"), folder=tmp_path, entities="things.jsonl", keywords=0
    )
    assert [row["entities"] for row in rows] == ["p-1; c-1", None]


def test_dropped_rows_are_not_read() -> None:
    table = enrich(batch([record(HASHES), record("bucket list")], ["before", None]), folder=Path())
    assert table["meta.keywords"][0].as_py() is None
    assert table["meta.keywords"][1].as_py() == "bucket; list"
    assert table["drop"].to_pylist() == ["before", None]


@settings(max_examples=40, deadline=None)
@given(texts)
def test_a_row_has_the_same_facts_beside_others_and_nothing_else_changes(said: list[str]) -> None:
    records = [record(text, meta={"title": text[:5]}) for text in said]
    given_table = batch(records)
    table = enrich(given_table, folder=Path())
    assert table.select(given_table.column_names) == given_table
    assert facts(*records) == [row for one in records for row in facts(one)]


def test_many_texts_are_read_in_several_passages() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows = facts(*(record(f"alpha{c} beta{c} " * 2000) for c in letters), keywords=2)
    assert [row["keywords"] for row in rows] == [f"alpha{c}; beta{c}" for c in letters]


def test_the_door_knows_its_settings() -> None:
    about = door.describe("curate", "enrich")
    assert about.handed == ("folder",)
    assert [s.name for s in about.settings] == ["keywords", "entities", "credibility"]
    step = door.load("curate", "enrich", {"credibility": {"docs": 1}}, {"folder": Path()})
    assert step(batch([record()]))["meta.credibility"].to_pylist() == ["1.0"]

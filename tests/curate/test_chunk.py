from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate.chunk import chunk

PAGE = """# Returns

You may send it back.

## How long

{long}

## Where to

{long}
"""
LONG = " ".join(f"Sentence number {n} says one thing about returns." for n in range(40))

lines = ["# A\n", "## B\n", "\n", "- item\n", "```\n", "| a | b |\n", "|---|---|\n", "word ", "x" * 300]
markdown = st.lists(
    st.sampled_from(lines)
    | st.text(max_size=60),
    max_size=40,
).map("".join)  # fmt: skip


def batch(texts: list[str], drops: list[str | None] | None = None, **fields: Any) -> pa.Table:
    records = to_batch([Record(text=text, source="test", at=1.5, **fields) for text in texts], Record)
    return pa.Table.from_batches([
        records.append_column("drop", pa.array(drops or [None] * len(texts), pa.string()))
    ])  # fmt: skip


def cut(texts: list[str], tokens: int = 32, **given: Any) -> pa.Table:
    return chunk(batch(texts), tokens=tokens, folder=Path(), **given)


def test_a_text_that_fits_stays_the_row_it_was() -> None:
    given_table = batch(["Short."])
    table = chunk(given_table, folder=Path())
    assert table.select(given_table.column_names) == given_table
    assert table["meta.tokens"].to_pylist() == ["2"]


def test_parts_are_rows_of_their_own_that_know_their_parent() -> None:
    [parent] = batch([PAGE.format(long=LONG)])["id"].to_pylist()
    table = cut([PAGE.format(long=LONG)])
    assert table.num_rows > 5
    assert table["id"].to_pylist() == [content_id(parent, str(n)) for n in range(table.num_rows)]
    assert table["parents"].to_pylist() == [[parent]] * table.num_rows
    assert "".join(table["text"].to_pylist()) == PAGE.format(long=LONG)


def test_what_the_text_was_said_to_be_its_parts_are() -> None:
    fields: dict[str, Any] = {"subject": "s", "license": "MIT", "labels": {"route": "a"}}
    table = chunk(batch([LONG], **fields), tokens=32, folder=Path())
    assert set(table["license"].to_pylist()) == {"MIT"}
    assert set(table["subject"].to_pylist()) == {"s"}
    assert all(labels == [("route", "a")] for labels in table["labels"].to_pylist())


def test_each_part_knows_the_headings_above_it() -> None:
    table = cut([PAGE.format(long=LONG)])
    sections = table["meta.section"].to_pylist()
    assert sections[1] == "Returns > How long"
    assert sections[-1] == "Returns > Where to"
    assert set(sections) == {"Returns", "Returns > How long", "Returns > Where to"}


def test_a_section_that_the_source_told_stays_where_the_text_has_no_heading() -> None:
    table = chunk(batch(["plain", "# Own\ntext"], meta={"section": "Told"}), folder=Path())
    assert table["meta.section"].to_pylist() == ["Told", "Own"]


def test_the_bytes_of_a_document_are_not_copied_to_its_parts() -> None:
    given_table = batch([LONG, "short"]).append_column("content", pa.array([b"<p>", b"<b>"]))
    table = chunk(given_table, tokens=32, folder=Path())
    assert table["content"].to_pylist() == [*[None] * (table.num_rows - 1), b"<b>"]


def test_dropped_and_empty_rows_stay_and_the_order_is_kept() -> None:
    table = chunk(batch(["a", LONG, "", "b"], [None, "before", None, None]), tokens=32, folder=Path())
    assert table["text"].to_pylist() == ["a", LONG, "", "b"]
    assert table["drop"].to_pylist() == [None, "before", None, None]
    assert table["meta.tokens"].to_pylist() == ["1", None, None, "1"]


def test_no_rows_are_no_problem() -> None:
    assert cut([]).num_rows == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(markdown, max_size=4))
def test_no_part_is_over_the_budget_and_no_character_is_lost(texts: list[str]) -> None:
    texts = [text.encode(errors="replace").decode() for text in texts]
    table = cut(texts, tokens=16)
    assert all(int(n) <= 16 for n in table["meta.tokens"].to_pylist() if n)
    ids = batch(texts)["id"].to_pylist()
    parents = [
        p[0] if p else i for p, i in zip(table["parents"].to_pylist(), table["id"].to_pylist(), strict=True)
    ]
    assert list(dict.fromkeys(parents)) == list(dict.fromkeys(ids))
    assert table == cut(texts, tokens=16)


@settings(max_examples=30, deadline=None)
@given(st.lists(markdown, min_size=2, max_size=4))
def test_a_text_is_cut_alike_whatever_stands_beside_it(texts: list[str]) -> None:
    alone = pa.concat_tables([cut([text]) for text in texts])
    assert cut(texts).to_pylist() == alone.to_pylist()


@pytest.mark.parametrize("wrong", [{"tokens": 15}, {"overlap": -1}, {"tokens": 32, "overlap": 17}])
def test_wrong_sizes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="give 16 tokens or more"):
        chunk(batch(["a"]), folder=Path(), **wrong)


def test_the_door_knows_its_settings() -> None:
    assert door.describe("curate", "chunk").handed == ("folder",)
    step = door.load("curate", "chunk", {"tokens": 16}, {"folder": Path()})
    assert step(batch([LONG])).num_rows > 10

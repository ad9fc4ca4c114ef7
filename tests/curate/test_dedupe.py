import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate.dedupe import dedupe

records = st.builds(
    lambda text, labels, at: Record(text=text, source="test", labels=labels, at=at),
    st.sampled_from(["a", "A ", "b", "b  c", "B\nc", ""]),
    st.dictionaries(st.sampled_from(["route", "tone"]), st.sampled_from(["x", "y"])),
    st.sampled_from([1.0, 2.0, 3.0]),
)


def batch(some: list[Record], drops: list[str | None] | None = None) -> pa.RecordBatch:
    column = pa.array(drops or [None] * len(some), pa.string())
    return to_batch(some, Record).append_column("drop", column)


def record(text: str, at: float = 1.0, **labels: str) -> Record:
    return Record(text=text, source="test", labels=labels, at=at)


def key(one: Record) -> tuple[str, tuple[tuple[str, str], ...]]:
    return " ".join(one.text.casefold().split()), tuple(sorted(one.labels.items()))


def drops(some: list[Record]) -> list[str | None]:
    column: list[str | None] = dedupe(batch(some))["drop"].to_pylist()
    return column


def test_the_newest_stays() -> None:
    some = [record("Hello", at=1), record("Hello", at=3), record("Hello", at=2)]
    assert drops(some) == ["duplicate", None, "duplicate"]


def test_of_equally_new_ones_the_first_stays() -> None:
    assert drops([record("Hello"), record("Hello")]) == [None, "duplicate"]


@pytest.mark.parametrize("twin", ["HELLO  wORLD", " hello\n\tworld ", "hello\u00a0world"])
def test_case_and_white_space_make_no_difference(twin: str) -> None:
    assert drops([record("Hello world"), record(twin)]) == [None, "duplicate"]


def test_both_small_sigmas_are_one() -> None:
    assert drops([record("ΣΟΦΟΣ"), record("σοφος"), record("σοφοσ")]) == [None, "duplicate", "duplicate"]


def test_other_labels_make_another_record() -> None:
    some = [record("a", route="x"), record("a", route="y"), record("a"), record("a", tone="x")]
    assert drops(some) == [None] * 4


def test_the_order_of_labels_makes_no_difference() -> None:
    assert drops([record("a", route="x", tone="y"), record("a", tone="y", route="x")]) == [None, "duplicate"]


def test_dropped_rows_take_no_part() -> None:
    some = [record("a", at=1), record("a", at=9)]
    assert dedupe(batch(some, [None, "too long"]))["drop"].to_pylist() == [None, "too long"]


@given(st.lists(records, max_size=12), st.integers(0, 3))
def test_one_of_each_stays_and_it_is_the_newest(some: list[Record], start: int) -> None:
    table = dedupe(batch(some).slice(start))
    given_rows = some[start:]
    marks = table["drop"].to_pylist()
    stays = [r for r, mark in zip(given_rows, marks, strict=True) if mark is None]
    assert {mark for mark in marks if mark} <= {"duplicate"}
    assert sorted(map(key, stays)) == sorted({key(r) for r in given_rows})
    assert all(s.at == max(r.at for r in given_rows if key(r) == key(s)) for s in stays)


@given(st.lists(records, max_size=12))
def test_rows_and_texts_stay_as_they_were(some: list[Record]) -> None:
    given_table = pa.Table.from_batches([batch(some)])
    table = dedupe(given_table)
    assert table.drop_columns("drop") == given_table.drop_columns("drop")
    assert dedupe(table) == table


def test_a_table_of_several_chunks_is_one_batch() -> None:
    table = pa.concat_tables(dedupe(batch([record("a", at=at, route="x")])) for at in (1, 2))
    assert dedupe(table)["drop"].to_pylist() == ["duplicate", None]

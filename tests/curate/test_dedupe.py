import pickle
import random
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import WIDEST, settled
from openflywheel.curate.dedupe import dedupe

records = st.builds(
    lambda text, labels, at: Record(text=text, source="test", labels=labels, at=at),
    st.sampled_from(["a", "A ", "b", "b  c", "B\nc", ""]),
    st.dictionaries(st.sampled_from(["route", "tone"]), st.sampled_from(["x", "y"])),
    st.sampled_from([1.0, 2.0, 3.0]),
)


def batch(some: list[Record], drops: list[str | None] | None = None) -> pa.Table:
    column = pa.array(drops or [None] * len(some), pa.string())
    return pa.Table.from_batches([to_batch(some, Record)]).append_column("drop", column)


def record(text: str, at: float = 1.0, **labels: str) -> Record:
    return Record(text=text, source="test", labels=labels, at=at)


def key(one: Record) -> tuple[str, tuple[tuple[str, str], ...]]:
    return " ".join(one.text.casefold().split()), tuple(sorted(one.labels.items()))


def drops(some: list[Record]) -> list[str | None]:
    column: list[str | None] = settled(dedupe(), batch(some))["drop"].to_pylist()
    return column


def test_items_choices_and_sales_are_no_duplicates() -> None:
    kinds = {"find": "rank", "price": "number", "route": "label"}
    step = dedupe(tasks={name: SimpleNamespace(kind=kind) for name, kind in kinds.items()})
    items = [Record(text="a lamp", source="t", meta={"item": id}) for id in "ab"]
    sales = [
        Record(text="mug", source="t", labels={"price": "9"}, meta={"price": price}) for price in ("5", "6")
    ]
    choices = [
        Record(text="light", source="t", labels={"find": "a"}, subject=person) for person in ("ann", "bob")
    ]
    guesses = [record("box", at=at, price="9") for at in (1.0, 2.0)]
    labels = [record("light", at=at, route="a") for at in (1.0, 2.0)]
    found = settled(step, batch([*items, *sales, *choices, *guesses, *labels]))["drop"].to_pylist()
    assert found == [None] * 6 + ["duplicate", None] * 2


def test_the_newest_stays() -> None:
    some = [record("Hello", at=1), record("Hello", at=3), record("Hello", at=2)]
    assert drops(some) == ["duplicate", None, "duplicate"]


def test_the_oldest_stays_where_that_is_the_rule() -> None:
    some = [record("Hello", at=2), record("Hello", at=1)]
    assert settled(dedupe(keep="oldest"), batch(some))["drop"].to_pylist() == ["duplicate", None]


def test_of_wholly_equal_rows_the_first_stays() -> None:
    assert drops([record("Hello"), record("Hello")]) == [None, "duplicate"]


def test_a_duplicate_names_the_row_that_stays() -> None:
    some = [record("hello", at=1), record("Hello", at=2), record("other")]
    assert settled(dedupe(), batch(some))["meta.duplicate_of"].to_pylist() == [some[1].id, None, None]


@pytest.mark.parametrize("twin", ["HELLO  wORLD", " hello\n\tworld ", "hello\u00a0world"])
def test_case_and_white_space_make_no_difference(twin: str) -> None:
    assert drops([record("Hello world", at=2), record(twin)]) == [None, "duplicate"]


def test_both_small_sigmas_are_one() -> None:
    some = [record("ΣΟΦΟΣ", at=2), record("σοφος"), record("σοφοσ")]
    assert drops(some) == [None, "duplicate", "duplicate"]


def test_other_labels_make_another_record() -> None:
    some = [record("a", route="x"), record("a", route="y"), record("a"), record("a", tone="x")]
    assert drops(some) == [None] * 4


def test_the_order_of_labels_makes_no_difference() -> None:
    some = [record("a", at=2, route="x", tone="y"), record("a", tone="y", route="x")]
    assert drops(some) == [None, "duplicate"]


def test_a_text_cannot_pass_for_another_one_with_labels() -> None:
    some = [
        record("a", route="x"),
        record("route\x1fx\x1fa"),
        record("a\x1froute\x1fx"),
        record("9\x1f\x1fa"),
    ]
    some += [record("a", route="x\x1fy"), record("y\x1fa", route="x")]
    assert drops(some) == [None] * 6


def test_dropped_rows_take_no_part() -> None:
    table = batch([record("a", at=1), record("a", at=9)], [None, "too long"])
    assert settled(dedupe(), table)["drop"].to_pylist() == [None, "too long"]


def test_more_copies_than_are_compared_with_each_other_leave_one() -> None:
    some = [record("a" if n % 2 else "A", at=n) for n in range(3 * WIDEST)]
    assert drops(some) == ["duplicate"] * (3 * WIDEST - 1) + [None]


@given(st.lists(records, max_size=12), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_one_of_each_stays_and_it_is_the_newest(some: list[Record], start: int) -> None:
    table = settled(dedupe(), batch(some).slice(start))
    given_rows = some[start:]
    marks = table["drop"].to_pylist()
    stays = [r for r, mark in zip(given_rows, marks, strict=True) if mark is None]
    assert {mark for mark in marks if mark} <= {"duplicate"}
    assert sorted(map(key, stays)) == sorted({key(r) for r in given_rows})
    assert all(s.at == max(r.at for r in given_rows if key(r) == key(s)) for s in stays)


@given(st.lists(records, max_size=12, unique_by=lambda r: (r.id, r.at)), st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_makes_no_difference(some: list[Record], by: random.Random) -> None:
    def left(rows: list[Record]) -> set[tuple[str, float]]:
        return {(r.id, r.at) for r, drop in zip(rows, drops(rows), strict=True) if drop is None}

    mixed = by.sample(some, len(some))
    assert left(mixed) == left(some)


@given(st.lists(records, max_size=12), st.integers(0, 12))
@settings(max_examples=50, deadline=None)
def test_sketches_made_in_pieces_are_those_made_at_once(some: list[Record], cut: int) -> None:
    table, sketch = batch(some), dedupe().sketch
    assert pa.concat_tables([sketch(table[:cut]), sketch(table[cut:])]) == sketch(table)


@given(st.lists(records, max_size=12))
@settings(max_examples=50, deadline=None)
def test_rows_and_texts_stay_as_they_were(some: list[Record]) -> None:
    before = batch(some)
    table = settled(dedupe(), before)
    assert table.select(before.drop_columns("drop").column_names) == before.drop_columns("drop")
    assert settled(dedupe(), table) == table


def test_a_table_of_several_chunks_is_one() -> None:
    table = pa.concat_tables(batch([record("a", at=at, route="x")]) for at in (1, 2))
    assert settled(dedupe(), table)["drop"].to_pylist() == ["duplicate", None]


def test_it_travels_to_other_processes() -> None:
    table = batch([record("a", at=1), record("a", at=2)])
    assert settled(pickle.loads(pickle.dumps(dedupe())), table) == settled(dedupe(), table)

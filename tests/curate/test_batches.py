import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._batches import (
    META,
    as_table,
    kept,
    mark_drops,
    marked,
    meta,
    with_column,
    with_meta,
    with_text,
)

rows = st.lists(
    st.tuples(st.sampled_from([None, "before"]), st.sampled_from([True, False, None])), max_size=20
)


def batch(texts: list[str], drops: list[str | None]) -> pa.Table:
    return pa.table({"text": pa.array(texts, pa.string()), "drop": pa.array(drops, pa.string()), "n": texts})


def test_a_record_batch_becomes_a_table_and_a_table_stays() -> None:
    table = batch(["a"], [None])
    assert as_table(table) is table
    assert as_table(table.to_batches()[0]) == table


@given(rows)
def test_marking_loses_no_row_and_no_earlier_reason(given_rows: list[tuple[str | None, bool | None]]) -> None:
    drops, mask = [r[0] for r in given_rows], [r[1] for r in given_rows]
    table = batch([str(i) for i in range(len(drops))], drops)
    marked = mark_drops(table, pa.chunked_array([mask], pa.bool_()), "now")
    assert marked.drop_columns("drop") == table.drop_columns("drop")
    assert marked["drop"].to_pylist() == [d or ("now" if m else None) for d, m in given_rows]


def test_the_schema_survives_a_null_column() -> None:
    table = batch(["a", "b"], [None, None])
    marked = mark_drops(table, pa.chunked_array([[False, False]]), "now")
    assert marked.schema == table.schema
    assert marked.column_names == ["text", "drop", "n"]


def test_kept_rows_are_those_without_a_reason() -> None:
    assert kept(batch(["a", "b"], [None, "why"])).to_pylist() == [True, False]


def test_dropped_rows_keep_their_text() -> None:
    table = with_text(batch(["a", "b"], [None, "why"]), pa.chunked_array([["A", "B"]]))
    assert table["text"].to_pylist() == ["A", "b"]


def test_a_column_keeps_its_place_and_its_type() -> None:
    table = with_column(batch(["a"], [None]), "drop", pa.array([None], pa.null()))
    assert table.schema == batch(["a"], [None]).schema


# ---- facts

facts = st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=3)), min_size=1, max_size=8)


def records(*known: dict[str, str], drops: list[str | None] | None = None) -> pa.Table:
    table = pa.Table.from_batches([to_batch([Record(text="t", source="s", meta=m) for m in known], Record)])
    return table.append_column("drop", pa.array(drops or [None] * len(known), pa.string()))


@given(facts)
def test_a_fact_of_the_source_is_known_by_its_name(known: list[dict[str, str]]) -> None:
    table = records(*known)
    for name in "abcd":
        assert meta(table, name).to_pylist() == [m.get(name) for m in known]


@given(facts, st.data())
def test_a_fact_of_a_step_comes_before_that_of_the_source(
    known: list[dict[str, str]], data: st.DataObject
) -> None:
    found = data.draw(
        st.lists(st.none() | st.text(max_size=3), min_size=len(known), max_size=len(known)), label="found"
    )
    table = with_meta(records(*known), "a", pa.array(found, pa.string()))
    wanted = [m.get("a") if new is None else new for m, new in zip(known, found, strict=True)]
    assert meta(table, "a").to_pylist() == wanted
    assert meta(table, "b").to_pylist() == [m.get("b") for m in known]


def test_a_fact_is_a_text_column_beside_the_others() -> None:
    table = with_meta(records({}, {}), "tokens", pa.array([7, None]))
    assert table.column_names[-1] == META + "tokens"
    assert table.schema.field(META + "tokens").type == pa.string()
    assert meta(table, "tokens").to_pylist() == ["7", None]


def test_a_fact_that_is_found_again_takes_the_place_of_the_old_one() -> None:
    table = with_meta(with_meta(records({}, {}), "a", pa.array(["1", "2"])), "b", pa.array(["x", "y"]))
    again = with_meta(table, "a", pa.array([3, None]))
    assert again.column_names == table.column_names
    assert again[META + "a"].to_pylist() == ["3", None]
    assert again[META + "b"].to_pylist() == ["x", "y"]


def test_dropped_rows_keep_what_was_known_of_them() -> None:
    table = with_meta(records({}, {}, drops=["why", None]), "a", pa.array(["1", "2"]))
    assert with_meta(table, "a", pa.array([None, "3"]))[META + "a"].to_pylist() == ["1", "3"]


def test_an_empty_fact_is_one_and_a_batch_may_be_empty() -> None:
    assert meta(with_meta(records({"a": "old"}), "a", pa.array([""])), "a").to_pylist() == [""]
    assert meta(records({}).slice(1), "a").to_pylist() == []


# ---- marks

marks_of = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([None, "before"]),
        st.sampled_from([None, "now"]),
        st.sampled_from([None, "holdout"]),
        st.sampled_from([None, "f"]),
    ),
    min_size=1,
    max_size=12,
)


@given(marks_of, st.randoms(use_true_random=False))
def test_marks_reach_their_rows_and_no_others(
    rows: list[tuple[bool, str | None, str | None, str | None, str | None]], chance: np.random.RandomState
) -> None:
    """A row keeps its first reason; of anything else the last word counts, and a null says nothing."""
    table = batch([str(n) for n in range(len(rows))], [r[1] for r in rows])
    table = table.append_column("role", pa.array(["train"] * len(rows)))
    places = [n for n, r in enumerate(rows) if r[0]]
    chance.shuffle(places)
    given_marks = pa.table({
        "drop": pa.array([rows[n][2] for n in places], pa.string()),
        "role": pa.array([rows[n][3] for n in places], pa.string()),
        "meta.group": pa.array([rows[n][4] for n in places], pa.string()),
    })  # fmt: skip
    found = marked(table, np.array(places, np.int64), given_marks)
    assert found["drop"].to_pylist() == [r[1] or (r[2] if r[0] else None) for r in rows]
    assert found["role"].to_pylist() == [(r[3] if r[0] else None) or "train" for r in rows]
    assert found["meta.group"].to_pylist() == [r[4] if r[0] else None for r in rows]
    assert found.select(["text", "n"]) == table.select(["text", "n"])
    assert found.column_names == [*table.column_names, "meta.group"]


def test_marks_for_nobody_leave_the_rows_and_add_their_columns() -> None:
    table = batch(["a", "b"], [None, "why"])
    none = pa.table({"drop": pa.array([], pa.string()), "weight": pa.array([], pa.float64())})
    found = marked(table, np.empty(0, np.int64), none)
    assert found.drop_columns("weight") == table
    assert found["weight"].to_pylist() == [None, None]
    assert found.schema.field("weight").type == pa.float64()


def test_a_mark_has_the_type_of_the_column_that_is_there() -> None:
    table = batch(["a", "b"], [None, None]).append_column("weight", pa.array([1.0, 0.5]))
    found = marked(table, np.array([1]), pa.table({"weight": pa.array([2], pa.int64())}))
    assert found["weight"].to_pylist() == [1.0, 2.0]
    assert found.schema == table.schema


def test_a_mark_that_does_not_fit_is_refused() -> None:
    table = batch(["a"], [None]).append_column("weight", pa.array([1.0]))
    with pytest.raises((pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError)):
        marked(table, np.array([0]), pa.table({"weight": ["heavy"]}))


def test_a_column_of_a_batch_that_came_in_pieces() -> None:
    table = pa.concat_tables([batch(["a"], [None]), batch(["b"], ["why"])])
    found = marked(table, np.array([0, 1]), pa.table({"drop": ["first", "second"]}))
    assert found["drop"].to_pylist() == ["first", "why"]

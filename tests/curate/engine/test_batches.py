"""Batches of a size that suits the steps."""

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._engine import batches
from openflywheel.curate._engine.batches import MOST_BYTES, MOST_ROWS, ORIGIN, cut, ready
from openflywheel.curate._engine.ids import hashed


def of(texts: list[str | None]) -> pa.Table:
    return pa.table({"id": [str(n) for n in range(len(texts))], "text": pa.array(texts, pa.string())})


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3 * MOST_ROWS), max_size=6))
def test_rows_are_all_there_in_their_order_in_as_few_batches_as_can_be(sizes):
    tables = [
        pa.table({"text": pa.nulls(n, pa.string()), "n": np.arange(n) + sum(sizes[:at])})
        for at, n in enumerate(sizes)
    ]
    found = list(cut(tables))
    assert [n for table in found for n in table["n"].to_pylist()] == list(range(sum(sizes)))
    assert all(0 < table.num_rows <= MOST_ROWS for table in found)
    assert all(a.num_rows + b.num_rows > MOST_ROWS for a, b in itertools.pairwise(found))


def test_large_texts_and_contents_make_small_batches(monkeypatch):
    monkeypatch.setattr(batches, "MOST_BYTES", 100)
    table = of(["x" * 60, "x" * 30, None, "x" * 20, "x" * 250, "x"])
    table = table.append_column("content", pa.array([None, b"y" * 10, None, b"y", None, None]))
    assert [t["id"].to_pylist() for t in cut([table])] == [["0", "1", "2"], ["3"], ["4"], ["5"]]


def test_small_tables_come_together_until_they_are_large(monkeypatch):
    monkeypatch.setattr(batches, "MOST_BYTES", 100)
    tables = [of(["x" * 40]) for _ in range(5)]
    assert [t.num_rows for t in cut(tables)] == [2, 2, 1]
    assert MOST_BYTES == 32 << 20


def test_tables_of_unlike_columns_come_together():
    [table] = cut([of(["a"]), of(["b"]).append_column("content", pa.array([b"c"]))])
    assert table["content"].to_pylist() == [None, b"c"]
    assert table["text"].num_chunks == 1


def test_a_batch_gets_drop_and_the_origin_of_its_rows():
    table = ready(of(["a", "b"]))
    assert table["drop"].to_pylist() == [None, None]
    assert table["drop"].type == pa.string()
    assert np.array_equal(table[ORIGIN].to_numpy(), hashed(table["id"]))


def test_a_reason_that_a_reader_gave_stays_and_an_old_origin_does_not():
    table = of(["a"]).append_column("drop", pa.array(["read: broken"]))
    table = ready(table.append_column(ORIGIN, pa.array([5], pa.uint64())))
    assert table["drop"].to_pylist() == ["read: broken"]
    assert table[ORIGIN].to_pylist() == hashed(table["id"]).tolist()
    assert table.column_names == ["id", "text", "drop", ORIGIN]

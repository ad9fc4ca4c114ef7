import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._batches import as_table, kept, mark_drops, with_column, with_text

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

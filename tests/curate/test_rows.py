"""From a batch to Rows: exactly what the nouns themselves would be."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import from_table, schema_of, to_batch
from openflywheel.base.nouns import Part, Record, Row
from openflywheel.curate._batches import with_meta
from openflywheel.curate._keys import keys_of
from openflywheel.curate._nouns import completed, named
from openflywheel.curate._rows import NO_PURPOSE, fold, with_facts, without_purpose

words = st.text(max_size=6)
maps = st.dictionaries(st.sampled_from(["a", "b", "lang"]), words, max_size=3)
records = st.builds(
    Record,
    text=words,
    source=words,
    uri=words,
    parts=st.lists(st.builds(Part, mime=words, uri=words, digest=words), max_size=2).map(tuple),
    purposes=st.lists(st.sampled_from(["training", "evaluation", "x"]), max_size=2).map(tuple),
    meta=maps,
    labels=maps,
    expires_at=st.one_of(st.none(), st.floats(0, 1e9), st.integers(0, 9)),
    parents=st.lists(words, max_size=2).map(tuple),
    at=st.just(1.0),
)


def batch(rows):
    table = pa.Table.from_batches([to_batch(rows, Record)])
    return table.append_column("drop", pa.nulls(len(rows), pa.string()))


def folded(table):
    out = fold(table)
    assert out.schema == schema_of(Row)
    return from_table(out, Row)


def expected(record, **fields):
    same = {f: getattr(record, f) for f in record.__struct_fields__ if f != "id"}
    return Row(**{**same, "parents": (record.id,)} | fields)


@settings(deadline=None)
@given(st.lists(records, max_size=6), st.integers(0, 2))
def test_a_row_is_the_noun_that_its_record_would_make(rows, start):
    table = batch(rows).slice(start)
    found = folded(with_meta(table, "lang", pa.nulls(table.num_rows, pa.string())))
    assert found == [
        expected(r, role="train" if "training" in r.purposes else "holdout") for r in rows[start:]
    ]


@settings(deadline=None)
@given(st.lists(records, max_size=6), st.lists(st.one_of(st.none(), words), min_size=6, max_size=6))
def test_facts_of_the_steps_win_over_those_of_the_source(rows, said):
    told = said[: len(rows)]
    found = folded(with_meta(batch(rows), "lang", pa.array(told, pa.string())))
    assert [r.meta for r in found] == [
        r.meta | ({} if fact is None else {"lang": fact}) for r, fact in zip(rows, told, strict=True)
    ]


def test_role_weight_and_other_working_columns():
    rows = [Record(text=t, source="s", purposes=("training",), at=1.0) for t in "abc"]
    table = batch(rows).append_column("role", pa.array(["validation", None, "holdout"]))
    table = table.append_column("weight", pa.array([None, 0.5, 2.0])).append_column(
        "content", pa.array([b"x"] * 3)
    )
    assert [(r.role, r.weight) for r in folded(table)] == [
        ("validation", 1.0),
        ("train", 0.5),
        ("holdout", 2.0),
    ]


def test_a_part_of_a_record_names_its_record_already():
    rows = [Record(text=t, source="s", parents=("r",), purposes=("training",), at=1.0) for t in "abc"]
    table = with_meta(batch(rows), "part", pa.array(["0", None, None]))
    found = folded(with_meta(table, "synthetic", pa.array([None, "paraphrase", None])))
    assert [r.parents for r in found] == [("r",), ("r",), (rows[2].id,)]


def test_what_may_serve_nothing_is_dropped():
    given = [("training",), ("evaluation", "x"), ("billing",), ()]
    table = without_purpose(batch([Record(text="t", source="s", purposes=p) for p in given]))
    assert table["drop"].to_pylist() == [None, None, NO_PURPOSE, NO_PURPOSE]


@settings(deadline=None)
@given(st.lists(records, max_size=6))
def test_ids_are_those_of_the_nouns(rows):
    table = batch(rows).drop_columns("drop")
    assert named(table, Record)["id"].to_pylist() == [r.id for r in rows]


def test_missing_columns_and_nulls_have_the_nouns_defaults():
    table = pa.table({"text": ["a", "b"], "source": ["s", "s"], "uri": [None, "u"], "at": [1.0, 1.0]})
    found = completed(table.append_column("meta", pa.nulls(2, schema_of(Record).field("meta").type)), Record)
    assert found.schema == schema_of(Record)
    assert from_table(named(found, Record), Record) == [
        Record(text="a", source="s", at=1.0),
        Record(text="b", source="s", uri="u", at=1.0),
    ]


def test_what_has_no_default_stays_null():
    assert completed(pa.table({"uri": ["u"]}), Record).select(["text", "at", "expires_at"]).to_pylist() == [
        {"text": None, "at": None, "expires_at": None}
    ]


def test_the_entries_of_a_map_stand_in_order():
    base = pa.array([[("z", "1"), ("a", "2")], []], pa.map_(pa.string(), pa.string()))
    found = with_facts(base, {"m": pa.chunked_array([["x", None]]), "z": pa.chunked_array([[None, "y"]])})
    assert found.to_pylist() == [[("a", "2"), ("m", "x"), ("z", "1")], [("z", "y")]]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), words)), st.sampled_from(["one", "other"]))
def test_equal_strings_have_equal_keys(values, salt):
    keys = keys_of(pa.array(values, pa.string()), salt).tolist()
    assert len(keys) == len(values)
    assert all((key == 0) == (not value) for key, value in zip(keys, values, strict=True))
    by_value = {value: key for key, value in zip(keys, values, strict=True) if value}
    assert len(set(by_value.values())) == len(by_value)


def test_keys_are_the_same_on_every_machine_and_apart_by_salt():
    (key,) = keys_of(pa.array(["ann"]), "subject")
    assert key == 0xB18758CC3CB20FCF
    assert keys_of(pa.array(["ann"]), "row")[0] != key


@pytest.mark.parametrize("values", [pa.chunked_array([], pa.string()), pa.array([], pa.string())])
def test_nothing_has_no_keys(values):
    assert keys_of(values, "x").tolist() == []

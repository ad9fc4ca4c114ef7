import pytest

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop, Record
from openflywheel.collect._contract import MOST, Contract


def kept(meta, seen, known=None, **modes):
    before = dict(seen) if known is None else known
    return Contract(**modes).keep(Record(text="t", source="shop", meta=meta), seen, before)


def test_what_evolves_is_learned():
    columns = {"price": "number"}
    assert kept({"price": "3", "size": "L"}, columns).meta == {"price": "3", "size": "L"}
    assert columns == {"price": "number", "size": "text"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("3", "number"),
        ("-3.5e4", "number"),
        ("True", "boolean"),
        ("2026-11-22", "time"),
        ("2026-11-22T03:04:05Z", "time"),
        ("3 euros", "text"),
        ("", "text"),
    ],
)
def test_types_are_read_from_the_values(value, kind):
    columns = {}
    kept({"c": value}, columns)
    assert columns == {"c": kind}


def test_a_column_of_two_types_becomes_text():
    columns = {"price": "number"}
    kept({"price": "cheap"}, columns)
    assert columns == {"price": "text"}
    assert kept({"price": "3"}, columns, types="discard_row").meta == {"price": "3"}


def test_an_empty_value_has_every_type():
    assert kept({"price": ""}, {"price": "number"}, types="freeze").meta == {"price": ""}


@pytest.mark.parametrize("mode", ["columns", "types"])
def test_a_frozen_change_stops_the_source(mode):
    meta = {"size": "L"} if mode == "columns" else {"price": "cheap"}
    with pytest.raises(SourceFailed) as caught:
        kept(meta, {"price": "number"}, **{mode: "freeze"})
    name, value = next(iter(meta.items()))
    assert f"shop: column {name!r} = {value!r} is" in str(caught.value)
    assert "known: price" in str(caught.value)


def test_a_row_or_a_value_is_left_out():
    assert kept({"a": "1", "b": "2"}, {"a": "number"}, columns="discard_row") == Drop(
        "contract: a new column"
    )
    assert kept({"a": "x"}, {"a": "number"}, types="discard_row") == Drop("contract: another type")
    columns = {"a": "number"}
    assert kept({"a": "1", "b": "2"}, columns, columns="discard_value").meta == {"a": "1"}
    assert columns == {"a": "number"}
    assert kept({"a": "x"}, {"a": "number"}, types="discard_value").meta == {}


def test_the_first_passage_sets_the_columns_whatever_the_contract():
    columns = {}
    for meta in ({"a": "1"}, {"b": "2"}):
        assert kept(meta, columns, known={}, columns="freeze").meta == meta
    assert columns == {"a": "number", "b": "number"}


def test_columns_are_bounded():
    columns = {}
    record = kept({f"c{i}": "1" for i in range(MOST + 50)}, columns)
    assert len(columns) == len(record.meta) == MOST


def test_a_record_that_passes_unchanged_keeps_its_name():
    record = Record(text="t", source="s", meta={"a": "1"})
    assert Contract().keep(record, {}, {}) is record
    assert Contract(columns="discard_value").keep(record, {"b": "text"}, {"b": "text"}).id != record.id

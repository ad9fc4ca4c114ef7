from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from openflywheel.base.instruments.columns import from_table, schema_of, to_batch
from openflywheel.base.nouns import KINDS, Exchange, Gap, Part, Record, Step, Verdict, table_of


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
@pytest.mark.parametrize("kind", KINDS, ids=table_of)
def test_every_noun_survives_arrow(nouns, kind, data):
    drawn = data.draw(st.lists(nouns(kind), max_size=3))
    assert from_table(to_batch(drawn, kind), kind) == drawn
    assert from_table(pa.Table.from_batches([to_batch(drawn, kind)]), kind) == drawn


def test_odd_text_empty_lists_nothing_and_nested_opinions_survive():
    opinion = Verdict(check="pii", about="\0", passed="no", reason="ü\U0001f600\u202e", low=None, high=1.0)
    exchange = Exchange(
        episode="", task="\0", input="a\0b", output="", variant="v", choices=(), verdicts=(opinion, opinion)
    )
    record = Record(
        text="", source="s", labels={"": "\0", "a": ""}, parts=(Part(mime="m", uri="u", digest="d"),)
    )
    assert from_table(to_batch([exchange], Exchange), Exchange) == [exchange]
    assert from_table(to_batch([record], Record), Record) == [record]


@pytest.mark.parametrize("kind", KINDS, ids=table_of)
def test_a_column_stands_for_each_field_in_order(kind):
    assert schema_of(kind).names == list(kind.__struct_fields__)
    assert to_batch([], kind).schema == schema_of(kind)


def test_types_are_those_of_the_fields():
    exchange, step = schema_of(Exchange), schema_of(Step)
    assert exchange.field("tokens").type == pa.int64()
    assert exchange.field("choices").type == pa.list_(pa.string())
    assert exchange.field("verdicts").type.value_type.field("score").type == pa.float64()
    assert schema_of(Record).field("expires_at").type == pa.float64()
    assert schema_of(Verdict).field("passed").type == pa.string()
    assert step.field("dropped").type == pa.map_(pa.string(), pa.int64())


def test_columns_that_the_noun_lacks_are_ignored_and_lacking_ones_get_their_default():
    table = pa.table({"topic": ["t"], "why": ["w"], "id": ["mine"], "at": [1.0], "drop": [None]})
    assert from_table(table, Gap) == [Gap(id="mine", at=1.0, topic="t", why="w")]


def test_a_missing_map_is_an_empty_one():
    table = pa.Table.from_batches([to_batch([Record(text="", source="")], Record)])
    column = table.schema.get_field_index("labels")
    table = table.set_column(column, "labels", pa.nulls(1, table.schema.field("labels").type))
    assert from_table(table, Record)[0].labels == {}


def test_a_field_without_an_arrow_type_is_named():
    class Odd(Struct):
        what: set[str] | Any

    with pytest.raises(TypeError, match="has no Arrow type"):
        schema_of(Odd)

import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openflywheel.base.nouns import (
    KINDS,
    Data,
    Dataset,
    Event,
    Exchange,
    Gap,
    Model,
    Noun,
    Record,
    Row,
    Signal,
    Step,
    Verdict,
    changed,
    table_of,
)

REQUIRED: dict[type[Noun], dict[str, Any]] = {
    Gap: {"topic": "t", "why": "w"},
    Record: {"text": "t", "source": "s"},
    Row: {"text": "t", "source": "s"},
    Dataset: {"name": "n", "task": "t", "role": "train", "rows": (), "recipe": ""},
    Model: {"name": "n", "task": "t", "base": "b", "method": "m", "taught_by": ()},
    Verdict: {"check": "c", "about": "a", "passed": "yes"},
    Signal: {"exchange": "e", "kind": "k", "value": 1.0, "source": "user", "explicit": True},
}


def gap(**fields: Any) -> Gap:
    return Gap(**{**REQUIRED[Gap], **fields})


def test_every_kind_is_either_data_or_an_event():
    assert all(issubclass(k, Data) != issubclass(k, Event) for k in KINDS)
    assert {k for k in KINDS if issubclass(k, Data)} == REQUIRED.keys()


@pytest.mark.parametrize("kind", REQUIRED, ids=table_of)
def test_data_are_named_by_their_content_and_not_by_their_moment(kind):
    fields = REQUIRED[kind]
    assert kind(**fields).id == kind(**fields, at=1.0).id
    first = kind.__struct_fields__[2]  # behind id and at
    assert kind(**fields).id != kind(**{**fields, first: "other"}).id


def test_kinds_with_the_same_content_have_different_names():
    assert Record(**REQUIRED[Record]).id != Row(**REQUIRED[Row]).id


def test_the_order_of_a_dict_does_not_count():
    one = Record(text="", source="", labels={"a": "1", "b": "2"})
    other = Record(text="", source="", labels={"b": "2", "a": "1"})
    assert one.id == other.id


def test_a_whole_number_names_the_same_as_its_float():
    fields = {**REQUIRED[Signal], "value": 1}
    assert Signal(**fields).id == Signal(**REQUIRED[Signal]).id
    assert Signal(**{**fields, "explicit": False}).id != Signal(**fields).id


def test_what_a_model_cost_and_where_it_lies_do_not_name_it():
    fields = REQUIRED[Model]
    assert (
        Model(**fields).id == Model(**fields, cost=3.0, uri="x").id != Model(**fields, report={"a": 1.0}).id
    )


def test_content_ids_are_the_same_in_every_process():
    made = "Record(text='a', source='b', labels={'x': '1', 'a': '2'})"
    command = [sys.executable, "-c", f"from openflywheel.base.nouns import Record; print({made}.id)"]
    environment = {**os.environ, "PYTHONHASHSEED": "99"}
    other = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == Record(text="a", source="b", labels={"a": "2", "x": "1"}).id


def test_a_name_that_is_given_stays():
    assert gap(id="mine").id == "mine"
    assert Step(id="000001-study", turn=1, room="study", took=0, gave=0).id == "000001-study"


def test_events_with_the_same_content_are_two_events():
    fields = {"episode": "e", "task": "t", "input": "i", "output": "o", "variant": "v", "at": 5.0}
    assert Exchange(**fields).id != Exchange(**fields).id


def test_nouns_cannot_be_changed():
    with pytest.raises(AttributeError):
        gap().topic = "other"


def test_a_changed_noun_has_another_name_and_names_its_parent():
    old = Record(text="mail ann@example.com", source="web", parents=("first",))
    new = changed(old, text="mail [email]")
    assert new.text == "mail [email]"
    assert new.id not in ("", old.id)
    assert new.parents == ("first", old.id)


def test_changed_leaves_given_parents_alone_and_works_without_parents():
    assert changed(Record(text="a", source="b"), text="c", parents=()).parents == ()
    assert changed(gap(), topic="new").id == gap(topic="new").id


def test_a_table_is_called_like_its_noun():
    assert [table_of(k) for k in KINDS] == [
        "gap", "record", "row", "dataset", "model", "verdict",
        "exchange", "call", "signal", "step", "reading",
    ]  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
@pytest.mark.parametrize("kind", KINDS, ids=table_of)
def test_every_noun_survives_msgpack(nouns, kind, data):
    noun = data.draw(nouns(kind))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(noun), type=kind) == noun


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_that_no_table_can_hold_is_refused_when_read(number):
    with pytest.raises((msgspec.ValidationError, OverflowError)):
        msgspec.convert({**msgspec.to_builtins(gap()), "budget": number}, Gap)

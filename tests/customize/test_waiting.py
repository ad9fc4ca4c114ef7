"""Who waits for a provider is shown its task again; what is stored already is not given again."""

import pytest

from openflywheel.base.nouns import Drop, Fault, Model, Paid
from openflywheel.customize._waiting import Waiting, late, taught


def model(name="m"):
    return Model(at=1.0, name=name, task="route", base="b", method="hosted", taught_by=("d",))


class Store:
    """What a room may look at: some models."""

    def __init__(self, *models):
        self.models = {m.id: m for m in models}

    def get(self, kind, ids):
        assert kind is Model
        return {id: self.models[id] for id in ids if id in self.models}


def give(gave, state, store=None, trainer="hosted", task="route"):
    return list(taught(gave, trainer, task, store or Store(), state))


def test_nobody_waits_at_first():
    assert late({}) == {}


def test_one_model_is_given():
    state = {}
    assert give(model(), state) == [model()]
    assert late(state) == {}


def test_several_things_are_given_in_their_order():
    things = [Paid(1.0, "far"), model("a"), Fault("x"), Drop("y"), model("b")]
    assert give(iter(things), {}) == things


def test_who_waits_is_remembered_with_the_task():
    state = {}
    assert give([Waiting("still running")], state) == [Drop("still running")]
    give([Waiting("still running")], state, task="tone")
    give([Waiting("asks")], state, trainer="distil")
    assert late(state) == {"route": {"hosted", "distil"}, "tone": {"hosted"}}


def test_waiting_twice_is_waiting_once():
    state = {}
    give([Waiting("a"), Waiting("b")], state)
    give([Waiting("a")], state)
    assert state == {"waiting": {"hosted": ["route"]}}


def test_waiting_ends_with_anything_else():
    state = {}
    give([Waiting("a")], state)
    give([Fault("failed")], state)
    assert late(state) == {}
    give([Waiting("a")], state)
    assert give([model()], state) == [model()]
    assert late(state) == {}


def test_a_model_and_a_wait_for_the_next_one_go_together():
    state = {}
    assert give([model(), Waiting("next")], state) == [model(), Drop("next")]
    assert late(state) == {"route": {"hosted"}}


def test_a_model_that_is_stored_is_not_given_again():
    assert give([model("a"), model("b")], {}, Store(model("a"))) == [model("b")]


def test_a_trainer_that_breaks_still_waits_as_before():
    state = {"waiting": {"hosted": ["route"]}}

    def broken():
        yield Fault("half")
        raise OSError("broken")

    gave = taught(broken(), "hosted", "route", Store(), state)
    assert next(gave) == Fault("half")
    with pytest.raises(OSError, match="broken"):
        next(gave)
    assert late(state) == {"route": {"hosted"}}

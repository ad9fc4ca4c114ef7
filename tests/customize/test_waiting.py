"""Who waits or failed is shown its task again; what is stored already is not given again."""

import copy

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Drop, Fault, Model, Paid
from openflywheel.customize._waiting import Failed, Waiting, late, taught, to_its_end


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
    assert give([model()], state) == [model()]
    assert late(state) == {}


def test_several_things_are_given_in_their_order():
    things = [Paid(1.0, "far"), model("a"), Fault("x"), Drop("y"), model("b")]
    assert give(iter(things), {}) == things


def test_of_what_a_run_took_only_what_is_new_is_booked():
    state = {}
    assert give([Paid(1.0, "far", "r")], state) == [Paid(1.0, "far", "r")]
    kept = copy.deepcopy(state)
    assert give([Paid(3.0, "far", "r"), model()], state) == [Paid(2.0, "far", "r"), model()]
    assert give([Paid(3.0, "far", "r")], kept) == [Paid(2.0, "far", "r")]  # the passage was killed
    for paid in (3.0, 2.5, 0.0):
        assert give([Paid(paid, "far", "r")], state) == []
    assert give([Paid(3.0, "far", "other"), Paid(3.0, "far")], state) == [
        Paid(3.0, "far", "other"), Paid(3.0, "far"),
    ]  # fmt: skip
    assert give([Paid(0.0, "far", "free")], state) == []


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


class TestFailing:
    """Whatever a trainer raises ends what it gives, and nothing else."""

    @staticmethod
    def broken(error):
        yield model()
        raise error

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (SettingsError("give a base"), "lora, route: give a base"),
            (OSError("broken"), "lora, route: OSError: broken"),
        ],
    )
    def test_what_it_gave_before_stands_and_the_reason_follows(self, error, said):
        assert list(to_its_end(self.broken(error), "lora", "route")) == [model(), Failed(said)]

    def test_it_is_told_and_shown_its_task_again(self):
        state = {}
        gave = to_its_end(self.broken(OSError("broken")), "lora", "route")
        assert give(gave, state, trainer="lora") == [model(), Fault("lora, route: OSError: broken")]
        assert late(state) == {"route": {"lora"}}
        assert give(to_its_end([model()], "lora", "route"), state, trainer="lora") == [model()]
        assert late(state) == {}

    def test_leaving_is_no_failure(self):
        with pytest.raises(KeyboardInterrupt):
            list(to_its_end(self.broken(KeyboardInterrupt()), "lora", "route"))

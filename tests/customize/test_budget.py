"""What a run will take: asked of the trainer's module, told as readings, refused with what to do."""

import sys
from functools import partial
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.customize._budget import foreseen, refused, settings, told
from openflywheel.customize._waiting import Waiting, late, taught
from openflywheel.customize.scratch import scratch


def slow(lesson, *, epochs=3, rate=1.0):
    """A trainer."""


def takes(seconds, gpu=0.0, dollars=0.0, note=""):
    return SimpleNamespace(cpu_seconds=seconds, gpu_seconds=gpu, dollars=dollars, note=note)


@pytest.fixture
def estimating(monkeypatch):
    """The trainer's module has an estimate that looks at epochs alone."""

    def estimate(lesson, **given):
        return takes(lesson * settings(slow, given)["epochs"])

    monkeypatch.setitem(sys.modules, "of_slow", SimpleNamespace(estimate=estimate))
    monkeypatch.setattr(slow, "__module__", "of_slow")


def test_the_settings_that_matter_to_an_estimate_reach_it(estimating):
    assert foreseen(partial(slow, epochs=5, rate=2.0), 10).cpu_seconds == 50
    assert foreseen(partial(slow, rate=2.0), 10).cpu_seconds == 30
    assert foreseen(slow, 10).cpu_seconds == 30


def test_an_estimate_sees_the_trainers_own_defaults_and_no_strangers():
    def trainer(lesson, *, epochs=3, rate=0.1, folder):
        del lesson, epochs, rate, folder

    assert settings(trainer, {"rate": 2.0}) == {"epochs": 3, "rate": 2.0}
    with pytest.raises(TypeError, match="epocs"):
        settings(trainer, {"epocs": 2})


def test_who_has_no_estimate_foresees_nothing():
    assert foreseen(slow, 10) is None


def test_an_estimate_of_a_real_trainer_grows_with_its_settings():
    row = SimpleNamespace(text="x" * 400)
    lesson = SimpleNamespace(dataset=SimpleNamespace(task="t"), rows=[row] * 50, kind="label")
    one, two = (foreseen(partial(scratch, epochs=n, rate=1.0), lesson) for n in (1, 2))
    assert two.cpu_seconds == pytest.approx(2 * one.cpu_seconds)


@pytest.mark.parametrize(
    ("estimate", "found"),
    [
        (takes(30.0), {"customize.slow.estimated_seconds": (30.0, "s")}),
        (takes(0.0, gpu=9.0), {"customize.slow.estimated_seconds": (9.0, "s")}),
        (
            takes(0.0, dollars=2.5),
            {"customize.slow.estimated_seconds": (0.0, "s"), "customize.slow.estimated_cost": (2.5, "$")},
        ),
    ],
)
def test_readings_say_seconds_always_and_dollars_where_there_are_some(estimate, found):
    estimate.note = "why"
    readings = list(told(slow, "route", estimate))
    assert {r.name: (r.value, r.unit) for r in readings} == found
    assert {(r.task, r.note) for r in readings} == {("route", "why")}


def test_a_refusal_says_how_much_and_what_to_do():
    assert refused(partial(slow, epochs=5), takes(12_345.6, dollars=7.005)).startswith(
        "slow would take 12,346 s and 7.0"
    )
    assert refused(slow, takes(0.0, gpu=60.0)) == (
        "slow would take 60 s and 0.00 dollars, more than wheel.budget allows; "
        "agree with: flywheel turn --yes"
    )


TURNS = st.lists(st.tuples(st.sampled_from(["lora", "hosted"]), st.sampled_from(["a", "b"]), st.booleans()))


@given(TURNS)
def test_who_waits_is_who_waited_when_last_asked(turns):
    """Whatever the turns were before."""
    state, last = {}, {}
    for trainer, task, waits in turns:
        list(taught([Waiting("x")] if waits else [], trainer, task, None, state))
        last[trainer, task] = waits
    expected = {(trainer, task) for (trainer, task), waits in last.items() if waits}
    assert {(trainer, task) for task, names in late(state).items() for trainer in names} == expected
    assert all(names for names in late(state).values())
    assert all(len(set(tasks)) == len(tasks) for tasks in state.get("waiting", {}).values())

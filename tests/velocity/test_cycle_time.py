"""Waiting times, from hand-made clocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.champion import PROMOTION
from openflywheel.base.nouns import Signal, Step, Verdict
from openflywheel.velocity.cycle_time import cycle_time


def said(at, source="user", task="route"):
    return Signal(exchange=f"e{at}", kind="rating", value=-1, source=source, explicit=True, task=task, at=at)


def step(room, at, seconds=1.0, error=""):
    return Step(turn=3, room=room, took=1, gave=1, at=at, seconds=seconds, error=error)


def promotion(at, task="route", passed="yes"):
    return Verdict(check=PROMOTION, about=f"m{at}{task}", passed=passed, task=task, at=at)


def read(log):
    return {(r.name, r.task): r for r in cycle_time(log)}


STUDY, CHAMPION = ("signal_to_study_seconds", ""), ("signal_to_champion_seconds", "route")
TURN = [step("study", 1000), step("serve", 1300)]


def test_the_median_wait_for_study(log):
    found = read(log(new_steps=TURN, new_signals=[said(400), said(900), said(990)]))
    assert set(found) == {STUDY}
    assert found[STUDY].value == pytest.approx(100)  # of 600, 100 and 10
    assert found[STUDY].unit == "seconds"
    assert found[STUDY].note == "median of 3 signals"


def test_the_median_wait_for_a_champion_of_the_task(log):
    signals = [said(400), said(900), said(800, task="other")]
    found = read(log(new_steps=TURN, new_signals=signals, verdicts=[promotion(1299.5)]))
    assert set(found) == {STUDY, CHAMPION}
    assert found[CHAMPION].value == pytest.approx(649.5)  # of 899.5 and 399.5


def test_what_the_wheel_hears_by_itself_would_flatter(log):
    signals = [said(400), said(998, "model"), said(998.5, "code"), said(700, "expert")]
    assert read(log(new_steps=TURN, new_signals=signals))[STUDY].value == pytest.approx(450)


def test_a_signal_is_taken_by_the_first_passage_that_began_after_it(log):
    steps = [step("study", 1000, seconds=50), step("study", 2000), step("study", 3000)]
    found = read(log(new_steps=steps, new_signals=[said(960)]))  # 950 to 1000 did not see it
    assert found[STUDY].value == pytest.approx(1040)


def test_a_failed_passage_of_study_takes_nothing(log):
    steps = [step("study", 1000, error="ValueError: x"), step("study", 2000)]
    assert read(log(new_steps=steps, new_signals=[said(900)]))[STUDY].value == pytest.approx(1100)


def test_a_signal_that_came_too_late_is_left_out(log):
    assert read(log(new_steps=TURN, new_signals=[said(1100)], verdicts=[promotion(1299.5)])) == {}


def test_old_promotions_and_refusals_are_no_promotion_of_this_turn(log):
    verdicts = [promotion(500), promotion(1299, passed="no"), promotion(1299.1, passed="inconclusive")]
    verdicts.append(Verdict(check="accuracy", about="m", passed="yes", task="route", at=1250.0))
    assert set(read(log(new_steps=TURN, new_signals=[said(900)], verdicts=verdicts))) == {STUDY}


def test_each_task_has_its_own_promotion(log):
    signals = [said(900), said(600, task="other")]
    verdicts = [promotion(1299), promotion(1299.5, task="other")]
    found = read(log(new_steps=TURN, new_signals=signals, verdicts=verdicts))
    assert found[CHAMPION].value == pytest.approx(399)
    assert found[CHAMPION[0], "other"].value == pytest.approx(699.5)


def test_an_empty_log_has_no_cycle(log):
    assert read(log()) == {}
    assert read(log(verdicts=[promotion(10)], new_signals=[said(5)])) == {}
    assert read(log(new_steps=TURN)) == {}


@given(st.lists(st.floats(0, 2000), max_size=30))
def test_waits_are_never_negative_and_champions_come_after_study(log, moments):
    found = read(log(new_steps=TURN, new_signals=[said(at) for at in moments], verdicts=[promotion(1299)]))
    in_time = [at for at in moments if at <= 999]
    assert (STUDY in found) == bool(in_time)
    if in_time:
        assert found[STUDY].value >= 1
        assert found[CHAMPION].value == pytest.approx(found[STUDY].value + 299)

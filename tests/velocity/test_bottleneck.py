"""The slowest room is found and its share is right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.door import ROOMS
from openflywheel.base.nouns import Step
from openflywheel.velocity.bottleneck import bottleneck


def step(room, seconds, turn=3, error=""):
    return Step(turn=turn, room=room, took=1, gave=1, seconds=seconds, error=error)


def read(log):
    return {r.name: r for r in bottleneck(log)}


def test_the_slowest_room_is_named_with_its_share(log):
    found = read(log(new_steps=[step("signals", 1), step("customize", 6), step("evaluate", 3)]))
    assert found["turn_seconds"].value == pytest.approx(10)
    assert found["turn_seconds"].unit == "seconds"
    assert found["bottleneck"].value == pytest.approx(0.6)
    assert found["bottleneck"].unit == "share"
    assert found["bottleneck"].note == "customize: 6 of 10 seconds"
    assert {r.turn for r in found.values()} == {3}


def test_all_passages_of_a_room_count_together_also_failed_ones(log):
    steps = [step("collect", 2), step("customize", 3), step("collect", 2, error="TimeoutError: slow")]
    assert read(log(new_steps=steps))["bottleneck"].note.startswith("collect: 4 of 7")


def test_only_the_newest_turn_counts(log):
    found = read(log(new_steps=[step("curate", 100, turn=2), step("study", 1)]))
    assert found["turn_seconds"].value == 1
    assert found["bottleneck"].note.startswith("study")


def test_velocity_does_not_judge_itself(log):
    found = read(log(new_steps=[step("velocity", 9), step("study", 1)]))
    assert found["turn_seconds"].value == 1


def test_an_empty_log_has_no_bottleneck(log):
    assert read(log()) == {}
    assert read(log(new_steps=[step("velocity", 9)])) == {}


def test_a_turn_without_time_has_no_bottleneck(log):
    assert set(read(log(new_steps=[step("study", 0.0)]))) == {"turn_seconds"}


@given(st.lists(st.tuples(st.sampled_from(ROOMS[:-1]), st.floats(1e-6, 1e5)), min_size=1, max_size=20))
def test_the_share_is_that_of_the_largest(log, spent):
    found = read(log(new_steps=[step(room, seconds) for room, seconds in spent]))
    rooms = len({room for room, _ in spent})
    assert 1 / rooms - 1e-9 <= found["bottleneck"].value <= 1 + 1e-9
    assert found["turn_seconds"].value == pytest.approx(sum(seconds for _, seconds in spent))

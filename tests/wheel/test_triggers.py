"""When the wheel turns by itself."""

from itertools import count

import pytest

from openflywheel.base.nouns import Signal, Step
from openflywheel.base.settings import parse
from openflywheel.store.lease import lease
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.triggers import spin

YAML = """
name: desk
store: wheel
encoder: ngrams
tasks: {route: {kind: label}}
wheel: {turn_when: {signals: 3, or_after: 1h}}
"""


class Clock:
    """A clock that only moves when somebody sleeps; `at[n]` happens after n seconds."""

    def __init__(self, start=1_000_000.0):
        self.now, self.start, self.at = start, start, {}

    def sleep(self, seconds):
        self.now += seconds
        self.at.pop(self.passed, lambda: None)()

    @property
    def passed(self):
        return round(self.now - self.start)


@pytest.fixture
def wheel(tmp_path):
    with Flywheel(parse(YAML, folder=tmp_path)) as opened:
        yield opened


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def start(wheel, clock):
    """Spin on the clock, with a turn made just before it starts."""
    wheel.store.append([Step(turn=0, room="signals", took=0, gave=0, at=clock.now)])
    return lambda turns=None: spin(wheel, turns=turns, sleep=clock.sleep, now=lambda: clock.now)


@pytest.fixture
def hear(wheel):
    """Write so many new signals."""
    fresh = count()

    def write(number):
        wheel.store.append([
            Signal(exchange=f"e{next(fresh)}", kind="rating", value=1, source="user", explicit=True)
            for _ in range(number)
        ])  # fmt: skip

    return write


def test_the_first_turn_comes_at_once(wheel, clock):
    turned = next(spin(wheel, turns=1, sleep=clock.sleep, now=lambda: clock.now))
    assert (turned.because, turned.error, clock.passed) == ("the first turn", "", 0)
    assert [step.room for step in turned.steps][:2] == ["signals", "study"]
    assert wheel.store.last_turn() == 0


def test_enough_new_signals_set_off_a_turn(start, clock, hear):
    clock.at = {5: lambda: hear(2), 9: lambda: hear(2)}
    turned = next(start())
    assert (turned.because, clock.passed) == ("4 new signals", 9)


def test_enough_time_sets_off_a_turn(start, clock):
    turned = next(start())
    assert (turned.because, clock.passed) == ("3600 seconds since the last turn", 3600)


def test_signals_that_waited_before_count(start, clock, hear):
    hear(3)
    assert (next(start()).because, clock.passed) == ("3 new signals", 0)


def test_both_triggers_count_from_the_last_turn(start, clock, hear):
    clock.at = {7: lambda: hear(3), 20: lambda: hear(2)}
    spinning = start()
    assert (next(spinning).because, clock.passed) == ("3 new signals", 7)
    assert (next(spinning).because, clock.passed) == ("3600 seconds since the last turn", 3607)


def test_it_ends_after_so_many_turns(start, wheel):
    assert [turned.error for turned in start(turns=2)] == ["", ""]
    assert wheel.store.last_turn() == 1


def test_a_turn_that_fails_is_reported_and_the_wheel_spins_on(start, clock, hear, wheel, caplog):
    hear(3)
    spinning = start()
    with lease(wheel.store.path / "turn.lock", "somebody else"):
        failed = next(spinning)
    assert failed.steps == []
    assert failed.error.startswith("WheelBusy: the wheel 'desk' is held by process ")
    assert "a turn failed (3 new signals)" in caplog.text
    clock.at = {4: lambda: hear(3)}
    assert next(spinning).error == ""
    assert clock.passed == 4  # what the failed turn left did not set off another one at once


def test_a_failing_turn_counts_among_the_turns(start, hear, wheel):
    hear(3)
    with lease(wheel.store.path / "turn.lock", "somebody else"):
        assert [bool(turned.error) for turned in start(turns=1)] == [True]


def test_closing_it_ends_it(start, hear, wheel):
    hear(3)
    spinning = start()
    next(spinning)
    spinning.close()
    assert list(spinning) == []
    assert wheel.store.last_turn() == 0

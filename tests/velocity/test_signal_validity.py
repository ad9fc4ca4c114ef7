"""Planted truth: listeners that predict ratings, and listeners that do not."""

import numpy as np
import pytest

from openflywheel.base.nouns import Signal, Verdict
from openflywheel.base.quarantine import QUARANTINE
from openflywheel.base.validity import PREFIX, weight
from openflywheel.velocity.signal_validity import signal_validity

SEEDS = 120


def rated(exchange, value, person="", **fields):
    said = {"kind": "rating", "source": "user", "explicit": True, **fields}
    return Signal(exchange=exchange, value=value, subject=person or f"of {exchange}", **said)


def heard(exchange, value=-0.5, kind="k", **fields):
    return Signal(exchange=exchange, kind=kind, value=value, source="code", explicit=False, **fields)


def people(seed, n=400, bad=(0.45, 0.45), crowd=400, value=-0.5):
    """n ratings, a third of them bad; a signal with chance `bad[0]` beside those, `bad[1]` beside others."""
    random = np.random.default_rng(seed)
    for i in range(n):
        wrong, person = random.random() < 1 / 3, f"p{random.integers(crowd)}"
        yield rated(f"{i:04d}", -1.0 if wrong else 1.0, person)
        if random.random() < bad[not wrong]:
            yield heard(f"{i:04d}", value, subject=person)


@pytest.fixture
def read(log):
    def look(signals, **settings):
        (reading,) = signal_validity(log(recent_signals=list(signals)), **settings)
        return reading

    return look


def test_a_listener_that_predicts_ratings_gets_a_positive_weight(read):
    right = sum(weight(read(people(seed, bad=(0.45, 0.15)))) > 0 for seed in range(SEEDS))
    assert right >= 0.95 * SEEDS


@pytest.mark.parametrize("crowd", [400, 40])
def test_a_useless_one_gets_none(read, crowd):
    wrong = sum(weight(read(people(seed, bad=(0.25, 0.25), crowd=crowd))) != 0 for seed in range(SEEDS))
    assert wrong <= 0.05 * SEEDS


def test_neither_does_one_that_knows_people_and_not_answers(read):
    """Half of the people are grumpy, three in ten always draw the signal: who asks decides, not what."""
    wrong = 0
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        grumpy, drawn = random.random(40) < 0.5, random.random(40) < 0.3
        signals = []
        for i in range(400):
            p = random.integers(40)
            signals.append(
                rated(f"{i:04d}", -1.0 if random.random() < 0.1 + 0.8 * grumpy[p] else 1.0, f"p{p}")
            )
            signals += [heard(f"{i:04d}")] if drawn[p] else []
        wrong += weight(read(signals)) != 0
    assert wrong <= 0.05 * SEEDS


def test_one_that_means_the_opposite_of_what_it_says_weighs_against_itself(read):
    reading = read(people(0, bad=(0.1, 0.6)))
    assert weight(reading) < -0.2


def test_few_of_either_are_not_enough(read):
    few = [rated(f"{i:02d}", 1.0) for i in range(40)]
    drawn = [heard(f"{i:02d}") for i in (0, *range(28, 39), 39)]
    reading = read([*few, *drawn])
    assert (reading.value, reading.low, reading.high) == (0.0, -1.0, 1.0)
    assert reading.note == "not enough data: 13 of 30 ratings"
    everywhere = read([*few, *(heard(f"{i:02d}") for i in range(40))])
    assert everywhere.note == "not enough data: 0 of 30 ratings"
    assert weight(reading) == weight(everywhere) == 0


def test_the_note_says_how_people_rated_with_and_without(read):
    signals = [rated(f"{i:02d}", -1.0 if i % 2 else 1.0) for i in range(20)]
    drawn = [heard(f"{i:02d}") for i in (0, 1, 3, 5, 19)]
    reading = read([*signals, *drawn], least=5)
    assert (reading.name, reading.unit) == (f"{PREFIX}k", "correlation")
    assert reading.note == "rated -0.60 with it (5), +0.20 without (15)"
    assert 0 < reading.value < 1


def test_a_listener_answers_for_no_time_before_it_was_switched_on(read):
    signals = [rated(f"{i:02d}", -1.0) for i in range(50)]
    later = [rated(f"{i:02d}", 1.0) for i in range(50, 99)]
    drawn = [heard(f"{i:02d}") for i in range(50, 99, 2)]
    assert read([*signals, *later, *drawn], least=5).note == "rated +1.00 with it (25), +1.00 without (24)"


def test_of_a_graded_signal_the_grade_counts_and_nothing_else_is_needed(read):
    signals = [rated(f"{i:02d}", 1.0 if i > 20 else -1.0) for i in range(40)]
    graded = [heard(f"{i:02d}", i / 20 - 1) for i in range(40)]
    reading = read([*signals, *graded])
    assert weight(reading) > 0.7
    assert reading.note == "rated -0.05 with it (40)"


def test_of_a_mark_it_counts_where_it_stands(read):
    reading = read(people(0, bad=(0.1, 0.6), value=0.0))
    assert weight(reading) > 0.2
    assert weight(reading) == pytest.approx(-weight(read(people(0, bad=(0.1, 0.6)))), abs=1e-9)


def test_ratings_of_whole_episodes_count_with_what_was_heard_in_them(read):
    signals = []
    for i in range(40):
        signals.append(rated("", -1.0 if i % 4 == 0 else 1.0, f"p{i}", episode=f"talk {i}", at=100.0 + i))
        signals += [heard(f"{i:02d}", episode=f"talk {i}", at=50.0)] if i % 4 == 0 else []
    assert weight(read(signals, least=10)) > 0.9


def test_a_rating_in_quarantine_does_not_count(log):
    signals = list(people(0, bad=(0.45, 0.15)))
    refused = [
        Verdict(check=QUARANTINE, about=s.id, passed="no") for s in signals if s.explicit and s.value < 0
    ]
    (reading,) = signal_validity(log(recent_signals=signals, verdicts=refused))
    assert weight(reading) == 0


def test_a_model_or_a_rule_does_not_rate(read):
    signals = [s for s in people(0) if not s.explicit] + [
        rated(f"{i:04d}", 1.0, source="code") for i in range(400)
    ]
    assert read(signals).note == "not enough data: 0 of 30 ratings"


def test_each_kind_is_read_for_itself_and_without_any_there_is_nothing(log):
    signals = [heard("1", kind="b"), heard("2", kind="a"), rated("1", 1.0)]
    names = [r.name for r in signal_validity(log(recent_signals=signals))]
    assert names == [f"{PREFIX}a", f"{PREFIX}b"]
    assert list(signal_validity(log(recent_signals=[rated("1", 1.0)]))) == []

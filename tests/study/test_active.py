import numpy as np
import pytest

from openflywheel.base.holdout import held_out
from openflywheel.base.nouns import Exchange, Row, Signal
from openflywheel.base.settings import Budget, Task
from openflywheel.study import Evidence
from openflywheel.study.active import active, doubt

TASKS = {"route": Task(kind="label"), "other": Task(kind="label"), "answer": Task(kind="text")}


class Vectors:
    """Texts are coordinates: "1 0" is the vector (1, 0), brought to length 1."""

    def encode(self, texts):
        rows = np.array([[float(n) for n in t.split()] for t in texts], np.float32).reshape(len(texts), 2)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def exchange(text, confidence, subject="p0"):
    return Exchange(
        episode="e", task="route", input=text, output="x", variant="m", confidence=confidence, subject=subject
    )


def said(about, **fields):
    told = {"kind": "rating", "value": -1.0, "source": "user", "explicit": True} | fields
    return Signal(exchange=about.id, task="route", **told)


def asked(exchanges, signals=(), rows=(), labels=2, holdout=0.0):
    heard = {e.id: [s for s in signals if s.exchange == e.id] for e in exchanges}
    evidence = Evidence(exchanges, {e.id: e for e in exchanges}, heard, signals, rows, {}, {})
    handed = {
        "encoder": Vectors(),
        "tasks": TASKS,
        "budget": Budget(labels=labels),
        "holdout": holdout,
        "seed": 0,
    }
    gaps = list(active(evidence, **handed))
    texts = {e.id: e.input for e in exchanges}
    return [texts[id] for gap in gaps for id in gap.evidence]


def test_the_doubtful_come_before_the_sure():
    assert asked([exchange("1 0", 0.9), exchange("0 1", 0.2)], labels=1) == ["0 1"]


def test_an_answer_that_was_rated_down_comes_first_however_sure_the_model_was():
    sure, doubtful = exchange("1 0", 0.85), exchange("0 1", 0.6)
    assert asked([sure, doubtful], labels=1) == ["0 1"]
    assert asked([sure, doubtful], [said(sure)], labels=1) == ["1 0"]


def test_near_copies_are_not_asked_twice():
    pool = [exchange("1 0", 0.1), exchange("1 0.01", 0.1), exchange("1 0.02", 0.1), exchange("0 1", 0.5)]
    assert len({t.split()[0] for t in asked(pool, labels=2)}) == 2


def test_regions_that_training_covers_are_left_alone():
    known = [Row(text="1 0", source="t", labels={"route": "a"}) for _ in range(1)]
    pool = [exchange("1 0.01", 0.4), exchange("0 1", 0.45)]
    assert asked(pool, labels=1) == ["1 0.01"]
    assert asked(pool, rows=known, labels=1) == ["0 1"]


def test_what_is_answered_or_held_out_or_empty_is_not_asked():
    pool = [exchange("1 0", 0.1, f"p{i}") for i in range(40)] + [exchange("", 0.0)]
    answered = said(pool[0], kind="correction", correction="a")
    chosen = asked(pool, [answered], labels=100, holdout=0.5)
    expected = [e for e in pool[1:40] if not held_out(e, 0.5)]
    assert 0 < len(chosen) == len(expected) < 39


@pytest.mark.parametrize("confidence", [0.0, 0.3, 0.9, 1.0])
def test_ratings_move_the_doubt_the_right_way_and_silence_does_not(confidence):
    assert doubt(confidence, 0) == pytest.approx(1 - confidence)
    assert doubt(confidence, 1) <= doubt(confidence, 0) <= doubt(confidence, -1)


def test_bayes_rule_by_hand():
    assert doubt(0.5, -1) == pytest.approx(0.9)
    assert doubt(0.5, 1) == pytest.approx(0.1)


@pytest.mark.parametrize("confidence", [0.0, 0.3, 0.9, 1.0])
def test_a_hint_moves_the_doubt_the_less_the_weaker_it_is(confidence):
    weak, strong = doubt(confidence, 0, -0.3), doubt(confidence, 0, -1.0)
    assert doubt(confidence, 0) <= weak <= strong == doubt(confidence, -1)
    assert doubt(confidence, 0, 1.0) <= doubt(confidence, 0, 0.3) <= doubt(confidence, 0)


def test_a_rating_leaves_nothing_to_hints():
    assert doubt(0.6, 1, -1.0) == doubt(0.6, 1)
    assert doubt(0.6, 0, -0.5) == pytest.approx(0.4 * 0.7 / (0.4 * 0.7 + 0.6 * 0.3))


def test_who_asks_again_is_asked_about_first_once_that_is_known_to_mean_something():
    one, other = exchange("1 0", 0.6), exchange("0 1", 0.55)
    hint = said(one, kind="rephrase", value=-0.5, source="code", explicit=False)
    heard = {one.id: [hint]}
    handed = {"encoder": Vectors(), "tasks": TASKS, "budget": Budget(labels=1), "holdout": 0.0, "seed": 0}
    for weights, first in (({}, other), ({"rephrase": 0.5}, one)):
        evidence = Evidence((one, other), {}, heard, (hint,), (), {}, {}, weights=weights)
        (gap,) = active(evidence, **handed)
        assert gap.evidence == (first.id,)

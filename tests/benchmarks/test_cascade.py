"""The cascade's benchmark: what it holds for true, and that a broken promise would be seen."""

import json

import numpy as np
import pytest

from benchmarks import cascade
from benchmarks.cascade import (
    SIMULATED,
    World,
    bisection,
    bonferroni,
    crowds,
    equal_steps,
    oracle,
    promise,
    rivals,
    trial,
)
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.serve._risk import control

GOOD, *_ = SIMULATED
EASY = World("easy", np.array([0.9, 0.8, 0.8, 0.1]), np.array([0.0, 0.0, 0.3, 0.5]))


@pytest.mark.parametrize("world", SIMULATED, ids=lambda world: world.name)
def test_worlds_stand_in_the_order_of_their_confidence(world):
    assert (np.diff(world.confidence) <= 0).all()
    assert ((world.risk >= 0) & (world.risk <= 1)).all()
    assert len(world.risk) == len(world.confidence)


def test_the_error_of_the_answered_part_is_the_mean_risk_of_the_surest():
    assert EASY.selective == pytest.approx([0, 0, 0.1, 0.2])
    assert (oracle(EASY, 0.05), oracle(EASY, 0.1), oracle(EASY, 0.5)) == (0.5, 0.75, 1.0)
    assert oracle(World("bad", np.ones(2), np.ones(2)), 0.5) == 0


@pytest.mark.parametrize(("threshold", "answered"), [(None, 0), (0.0, 4), (0.8, 3), (0.85, 1), (1.0, 0)])
def test_a_threshold_lets_through_what_reaches_it(threshold, answered):
    assert cascade._reach(EASY, threshold) == answered


def test_a_trial_sees_what_is_answered_and_what_breaks():
    random = np.random.default_rng(0)
    fine = trial(GOOD, 300, 0.05, 50, random)
    assert fine.broken < 0.1
    assert 0.3 < fine.answered < oracle(GOOD, 0.05)
    hopeless = World("hopeless", np.linspace(1, 0, 100), np.full(100, 0.5))
    assert trial(hopeless, 300, 0.05, 50, random).answered == 0


def test_a_broken_promise_is_missed_by_the_bar(monkeypatch):
    def careless(confidences, wrong, error):
        return control(confidences, [False] * len(wrong), error)

    monkeypatch.setattr(cascade, "control", careless)
    found = [trial(GOOD, n, 0.05, 20, np.random.default_rng(0)) for n in (100, 300)]
    row = promise(GOOD, found, 20)
    assert (row.value, row.holds) == (1.0, False)


def test_few_people_with_many_labels_break_it_and_many_with_one_do_not():
    few, many = crowds(100, np.random.default_rng(0))
    assert few.value > 0.05
    assert few.bar is None
    assert many.holds


def test_rivals_certify_what_is_right_and_nothing_that_is_wrong():
    right, wrong = [0] * 301, list(range(301))
    for rival in (equal_steps, bonferroni):
        assert rival(right, 0.05) == 300
        assert rival(wrong, 0.05) == 0
    assert 290 < bisection(right, 0.05) <= 300
    assert bisection(wrong, 0.05) == 0
    until = [max(0, k - 180) for k in range(301)]
    assert equal_steps(until, 0.05) == 180
    assert bonferroni(until, 0.05) in (120, 150, 180)


def test_no_rival_certifies_more():
    found = [row.value for row in rivals(60, np.random.default_rng(0))]
    assert len(found) == 4
    assert found[0] == max(found) < 1


def test_without_the_data_the_real_heads_are_skipped_with_a_word(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("sys.argv", ["cascade", "--json", "--sets", "10", "--from", str(tmp_path)])
    monkeypatch.setattr(cascade, "SIMULATED", SIMULATED[:2])
    cascade.main()
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    names = [row["row"] for row in said["rows"]]
    assert said["benchmark"] == "cascade"
    assert sum("broke the promise" in name for name in names) == 2
    assert sum("answered with" in name for name in names) == 9
    assert names[-1].startswith("real heads: skipped")


@pytest.mark.slow
def test_a_real_head_is_examined_on_what_it_was_not_taught(monkeypatch, tmp_path):
    folder = tmp_path / "made"
    (folder / "models").mkdir(parents=True)
    for part, start in (("train", 0), ("test", 60)):
        lines = [
            f"{word} number {i},{word}" for i in range(start, start + 60) for word in ("refund", "parcel")
        ]
        (folder / f"shop_{part}.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    monkeypatch.setattr(cascade, "open_encoder", lambda name: NgramEncoder())
    world = cascade._taught("shop", folder)
    assert len(world.risk) == 120
    assert world.risk.mean() < 0.05
    assert (np.diff(world.confidence) <= 0).all()

import numpy as np
import pytest

from benchmarks.customize import distil
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.instruments.threads import one_thread

WORDS = ["refund", "parcel", "login", "card", "loan", "rate", "limit", "fraud", "branch", "app",
         "statement", "address", "pin", "cash", "top up", "transfer", "exchange", "age"]  # fmt: skip


def pairs(start, number):
    return [(f"my {w} is wrong, case {n}", w) for n in range(start, start + number) for w in WORDS]


def test_eight_intents_are_called_by_names_that_are_not_confused_themselves():
    calls = distil.confused(pairs(0, 1), seed=3)
    assert len(calls) == len(set(calls.values())) == distil.WRONG
    assert not set(calls) & set(calls.values())
    assert calls == distil.confused(pairs(5, 2), seed=3)
    assert calls != distil.confused(pairs(0, 1), seed=4)


def test_people_say_what_is_right_and_the_teacher_errs(monkeypatch):
    monkeypatch.setattr(distil, "ASKED", 100)
    monkeypatch.setattr(distil, "CHECKED", 30)
    train = pairs(0, 10)
    truth, calls = dict(train), distil.confused(train, 0)
    people, teacher = distil.lessons(train, calls, 0)
    assert (len(people), len(teacher)) == (30, 70)
    assert all(row.labels["route"] == truth[row.text] for row in people)
    assert all(row.meta["teacher"] == calls.get(truth[row.text], truth[row.text]) for row in people)
    wrong = [row for row in teacher if row.labels["route"] != truth[row.text]]
    assert wrong
    assert all(calls[truth[row.text]] == row.labels["route"] for row in wrong)
    assert not {row.text for row in people} & {row.text for row in teacher}


def test_all_three_students_are_taught_and_asked(monkeypatch):
    monkeypatch.setattr(distil, "ASKED", 500)
    monkeypatch.setattr(distil, "CHECKED", 200)
    with one_thread():
        found = distil.outcome(pairs(0, 30), pairs(100, 3), NgramEncoder(), 0)
    assert found.ours > found.trusting
    assert found.agreement > found.trusting
    assert 0 < found.people <= 1
    assert found.report["judged"] > 20


def test_the_rows_hold_ours_against_the_better_rival():
    runs = [distil.Outcome(0.8, 0.9, ours, 0.7, {"accuracy": ours - 0.02}) for ours in (0.85, 0.75)]
    by_name = {line.row: line for line in distil.rows(runs)}
    ours = by_name["distil: true accuracy, ours"]
    assert (ours.value, ours.interval, ours.holds) == (pytest.approx(0.8), (0.75, 0.85), True)
    missed = by_name["distil: error of the accuracy that ours reports"]
    assert missed.value == pytest.approx(0.02)
    assert by_name["distil: agreement, trusts the teacher"].value == pytest.approx(0.9)
    worse = [distil.Outcome(0.8, 0.9, 0.79, 0.7, {"accuracy": 0.8})]
    assert [line.holds for line in distil.rows(worse) if line.bar] == [False]


def test_without_data_it_says_so(tmp_path):
    [line] = distil.measure(tmp_path, tmp_path, 1)
    assert (line.value, line.holds) == (None, None)
    assert "Banking77 is missing" in line.row


def test_shares_are_of_pairs():
    assert distil.share(["a", "b", "c", "d"], ["a", "x", "c", "y"]) == np.float64(0.5)

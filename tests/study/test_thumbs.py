"""What people only liked or disliked, by task, thumb and weight."""

import pytest

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.base.settings import Task
from openflywheel.study import Evidence
from openflywheel.study.thumbs import thumbs

TASKS = {"answer": Task(kind="text"), "route": Task(kind="label")}


def exchange(task="answer", output="it is on its way"):
    return Exchange(episode="e", task=task, input="hi", output=output, variant="m")


def said(about, kind="rating", value=1.0, source="user", **fields):
    told = {
        "exchange": about.id,
        "kind": kind,
        "value": value,
        "source": source,
        "explicit": kind == "rating",
    }
    return Signal(**told | fields)


def gaps(exchanges, signals, weights=None):
    heard = {e.id: [s for s in signals if s.exchange == e.id] for e in exchanges}
    known = {e.id: e for e in exchanges}
    evidence = Evidence((), known, heard, signals, (), {}, {}, {}, weights or {})
    return [(g.task, g.why, g.weight, g.evidence) for g in thumbs(evidence, tasks=TASKS)]


def test_ratings_are_told_apart_and_weigh_one():
    good, bad, silent = exchange(), exchange(), exchange()
    assert gaps([good, bad, silent], [said(good), said(bad, value=-1.0)]) == [
        ("answer", "people liked the answers", 1.0, (good.id,)),
        ("answer", "people disliked the answers", 1.0, (bad.id,)),
    ]


def test_derived_signals_weigh_what_they_were_found_to_be_worth():
    doubtful, faint = exchange(), exchange()
    signals = [said(doubtful, "rephrase", -1.0, "code"), said(faint, "dwell", 1.0, "code")]
    assert gaps([doubtful, faint], signals) == []
    assert gaps([doubtful, faint], signals, {"rephrase": 0.44, "dwell": 0.1}) == [
        ("answer", "people disliked the answers", 0.4, (doubtful.id,))
    ]


def test_a_persons_word_counts_before_derived_signals():
    one = exchange()
    signals = [said(one, "rephrase", -1.0, "code"), said(one)]
    assert gaps([one], signals, {"rephrase": 0.9}) == [("answer", "people liked the answers", 1.0, (one.id,))]


@pytest.mark.parametrize(
    "one", [exchange("route"), exchange("none"), exchange(output="")], ids=["label", "no task", "no answer"]
)
def test_other_tasks_and_what_was_not_answered_are_left_out(one):
    assert gaps([one], [said(one)]) == []


def test_what_a_person_corrected_is_left_out():
    one = exchange()
    assert gaps([one], [said(one, value=-1.0), said(one, "correction", -1.0, correction="tomorrow")]) == []

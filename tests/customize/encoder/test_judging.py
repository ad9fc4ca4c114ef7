import numpy as np
import pytest
from msgspec.structs import replace

from openflywheel.base.forms.encoder import encoder_of
from openflywheel.base.instruments.minilm import graph_of
from openflywheel.customize._encoder.examples import Examples
from openflywheel.customize._encoder.judging import judged, on_top, parted

WORDS = {
    "late": "where is my {} parcel",
    "refund": "i want my money for the {} back",
    "login": "the {} password is lost",
}
THINGS = ("red", "blue", "small", "big", "old", "new", "last", "first", "green", "other")


@pytest.fixture(scope="module")
def encoder(base):
    return encoder_of(graph_of(lambda name: base.weights[name].numpy(), base.tokenizer))


def examples(things):
    labels = tuple(sorted(WORDS))
    pairs = [(WORDS[label].format(thing), label) for thing in things for label in WORDS]
    right = np.array([labels.index(label) for _, label in pairs])
    texts = [text for text, _ in pairs]
    return Examples(texts, [()] * len(texts), right, np.ones(len(texts), np.float32), labels, texts)


def test_the_head_that_was_judged_answers_with_calibrated_chances(encoder):
    taught, judge = examples(THINGS[:4]), examples(THINGS[4:])
    found = judged(encoder, taught, judge)
    assert found.method == "centroid"  # 12 rows are too few for logistic regression
    assert found.report["accuracy"] == 1
    assert found.report["judged"] == 18
    head = on_top(encoder, taught, found)
    assert head.encoder == encoder.name
    chances = head.probabilities(encoder.encode(judge.texts))
    assert np.mean(chances.argmax(axis=1) == judge.right) == 1
    # 18 rows that are all right are no proof of certainty: the log loss that is told is the more careful one
    assert 0.01 < -np.log(chances[np.arange(18), judge.right]).mean() < found.report["log_loss"]


def test_rows_that_end_a_run_are_not_those_that_tell_how_good_it_is():
    whole = examples([f"{thing} {n}" for thing in THINGS for n in range(3)])
    ends, tells = parted(whole)
    assert ends is not None
    assert len(ends.texts) == len(tells.texts) == 45
    assert set(ends.texts) | set(tells.texts) == set(whole.texts)


def test_nobody_both_ends_a_run_and_tells_how_good_it_is():
    whole = examples([f"{thing} {n}" for thing in THINGS for n in range(3)])
    people = [str(n % 9) for n in range(90)]
    ends, tells = parted(replace(whole, people=people))
    assert not set(ends.people) & set(tells.people)


def test_few_rows_tell_and_end_nothing():
    whole = examples(THINGS)
    assert parted(whole) == (None, whole)


def test_rows_that_know_no_label_leave_all_to_judge():
    whole = examples([f"{thing} {n}" for thing in THINGS for n in range(3)])
    _, tells = parted(whole)
    strange = np.where(np.isin(np.array(whole.texts), tells.texts), -1, whole.right)
    judge = replace(whole, right=strange)
    assert parted(judge) == (None, judge)


def test_rows_judge_as_they_weigh(encoder):
    taught, judge = examples(THINGS[:4]), examples(THINGS[4:])
    wrong = np.arange(18) % 3 == 2
    mixed = replace(judge, right=np.where(wrong, (judge.right + 1) % 3, judge.right))
    light = replace(mixed, weight=np.where(wrong, 1e-3, 1).astype(np.float32))
    blind, found = judged(encoder, taught, mixed), judged(encoder, taught, light)
    assert blind.report["accuracy"] == pytest.approx(2 / 3)
    assert found.report["accuracy"] > 0.99
    assert found.sharpness > blind.sharpness


def test_a_label_that_was_not_taught_counts_as_wrong_and_moves_no_temperature(encoder):
    taught = examples(THINGS[:4])
    known = Examples(taught.texts, taught.ids, taught.right % 2, taught.weight, ("a", "b"), taught.people)
    judge = examples(THINGS[4:])
    half = np.where(np.arange(18) % 3 == 2, -1, judge.right % 2)
    strange = Examples(judge.texts, judge.ids, half, judge.weight, ("a", "b"), judge.people)
    rows = np.flatnonzero(half >= 0)
    with_strange, without = judged(encoder, known, strange), judged(encoder, known, strange.part(rows))
    assert with_strange.sharpness == pytest.approx(without.sharpness)
    assert with_strange.report["accuracy"] == pytest.approx(without.report["accuracy"] * 12 / 18)

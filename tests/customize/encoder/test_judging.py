import numpy as np
import pytest

from openflywheel.base.forms.encoder import encoder_of
from openflywheel.base.instruments.minilm import graph_of
from openflywheel.customize._encoder.examples import Examples
from openflywheel.customize._encoder.judging import judged, on_top

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
    return Examples(texts, [()] * len(texts), right, np.ones(len(texts), np.float32), labels)


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


def test_a_label_that_was_not_taught_counts_as_wrong_and_moves_no_temperature(encoder):
    taught = examples(THINGS[:4])
    known = Examples(taught.texts, taught.ids, taught.right % 2, taught.weight, ("a", "b"))
    judge = examples(THINGS[4:])
    half = np.where(np.arange(18) % 3 == 2, -1, judge.right % 2)
    strange = Examples(judge.texts, judge.ids, half, judge.weight, ("a", "b"))
    rows = np.flatnonzero(half >= 0)
    with_strange, without = judged(encoder, known, strange), judged(encoder, known, strange.part(rows))
    assert with_strange.sharpness == pytest.approx(without.sharpness)
    assert with_strange.report["accuracy"] == pytest.approx(without.report["accuracy"] * 12 / 18)

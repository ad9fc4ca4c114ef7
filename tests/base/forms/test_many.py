"""Heads that name several labels at once."""

import numpy as np
import pytest

from openflywheel.base.errors import EncoderError
from openflywheel.base.forms.head import Head
from openflywheel.base.forms.many import Many, opened, set_scores
from openflywheel.base.instruments.answers import Labelling


class Plain:
    """Vectors are written as texts: "1 0"."""

    name = "plain"

    def encode(self, texts):
        return np.array([[float(n) for n in text.split()] for text in texts], np.float32).reshape(-1, 2)


HEAD = Head(("damaged", "late"), np.eye(2, dtype=np.float32), np.zeros(2, np.float32), "plain")
MEMBER = np.array([[1, 0], [0, 1], [1, 1]], np.uint8)
SETS = ("damaged", "late", "damaged|late")


@pytest.fixture
def many():
    half = np.array([0.5, 0.5])
    return Many(HEAD, SETS, np.array([4.0, 2.0]), np.array([-2.0, -1.0]), half, MEMBER)


def test_each_class_has_a_sigmoid_of_its_own(many):
    chance = many.each(np.array([[1, 0], [0.5, 0.5]], np.float32))
    assert chance[0] == pytest.approx([1 / (1 + np.exp(-2)), 1 / (1 + np.exp(1))])
    assert chance[1] == pytest.approx([0.5, 0.5])


def test_sets_weigh_as_if_classes_were_independent(many):
    vectors = np.array([[0.8, 0.9], [0.1, 0.7], [2, -1]], np.float32)
    a, b = many.each(vectors).T
    odds = np.stack([a * (1 - b), (1 - a) * b, a * b], axis=1)
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(many.probabilities(vectors), expected, atol=1e-5)
    assert many.probabilities(vectors).argmax(axis=1).tolist() == [2, 1, 0]


def test_sharpness_makes_sets_surer_and_moves_none(many):
    vectors = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    sharper = Many(HEAD, SETS, many.slope, many.shift, many.least, MEMBER, 3.0)
    soft, hard = many.probabilities(vectors), sharper.probabilities(vectors)
    assert (soft.argmax(axis=1) == hard.argmax(axis=1)).all()
    assert (hard.max(axis=1) > soft.max(axis=1)).all()


def test_classes_are_named_from_their_thresholds_on(many):
    assert many.chosen(np.array([[1, 1], [1, 0], [0, 1]], np.float32)) == [
        ("damaged", "late"), ("damaged",), ("late",),
    ]  # fmt: skip
    strict = Many(HEAD, SETS, many.slope, many.shift, np.array([0.5, 0.9]), MEMBER)
    assert strict.chosen(np.array([[1, 1]], np.float32)) == [("damaged",)]


def test_something_is_always_named(many):
    assert many.chosen(np.array([[-1, -2]], np.float32)) == [("late",)]  # log odds of -6 and -5
    strict = Many(HEAD, SETS, many.slope, many.shift, np.array([0.001, 0.9]), MEMBER)
    assert strict.chosen(np.array([[-1.5, 0]], np.float32)) == [("damaged",)]  # .0003 of .001, .27 of .9
    assert all(many.chosen(np.full((5, 2), -9, np.float32)))


def test_nothing_is_said_of_nothing(many):
    nothing = np.zeros((0, 2), np.float32)
    assert many.probabilities(nothing).shape == (0, 3)
    assert many.chosen(nothing) == []


def test_set_scores_add_the_log_odds_of_their_classes():
    assert set_scores(np.array([[1.0, -2.0]]), MEMBER).tolist() == [[1, -2, -1]]


def test_it_comes_back_from_disk_and_answers_texts(many, tmp_path):
    place = many.keep(tmp_path, task="parcels")
    answers = opened(place, encoder=Plain())
    assert isinstance(answers, Labelling)
    assert answers.labels == SETS
    texts = ["1 1", "0 1"]
    assert np.array_equal(answers.probabilities(texts), many.probabilities(Plain().encode(texts)))
    assert answers.head.chosen(Plain().encode(texts)) == [("damaged", "late"), ("late",)]


def test_another_encoder_is_refused(many, tmp_path):
    place = many.keep(tmp_path)
    other = Plain()
    other.name = "other"
    with pytest.raises(EncoderError, match="taught on the encoder 'plain', this process has 'other'"):
        opened(place, encoder=other)

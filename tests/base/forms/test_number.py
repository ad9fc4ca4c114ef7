"""Numbers with intervals: how they are made of folds, and their way to disk and back."""

from math import isnan

import numpy as np
import pytest

from openflywheel.base.errors import EncoderError
from openflywheel.base.forms.number import AT_ONCE, Regression, bounded, number, opened
from openflywheel.base.instruments.answers import Estimating
from openflywheel.base.instruments.vectors import similarity


class Plain:
    name = "plain"

    def encode(self, texts):
        return np.array([[len(text), 1] for text in texts], np.float32).reshape(-1, 2)


@pytest.fixture
def regression():
    weights = np.array([[1.0, 1.1, 0.9], [0.0, 0.0, 0.0]])
    errors, folds = np.arange(20) / 10, np.arange(20) % 2 + 1
    return Regression(weights, np.array([2.0, 2.0, 2.0]), errors, folds.astype(np.uint8), "plain")


def test_the_value_is_said_by_who_knows_all_rows(regression):
    assert regression.estimates(Plain().encode(["abc", ""]))[:, 0].tolist() == [5, 2]


def test_the_interval_is_that_of_the_paper(regression):
    vector = Plain().encode(["abcde"])
    said = regression.said_by_each(vector)[0]
    ends = np.sort(said[regression.folds] + regression.errors)
    low_ends = np.sort(said[regression.folds] - regression.errors)
    _, low, high = regression.estimates(vector)[0]
    assert high == ends[19 - 1]  # the 19th: ceil(.9 * 21)
    assert low == low_ends[2 - 1]  # the 2nd: floor(.1 * 21)


def test_with_too_few_errors_everything_is_possible():
    said, folds = np.zeros((2, 3)), np.ones(8, np.uint8)
    assert bounded(said, np.ones(8), folds).tolist() == [[0, -np.inf, np.inf]] * 2
    assert bounded(said, np.ones(9), np.ones(9, np.uint8)).tolist() == [[0, -1, 1]] * 2


def test_the_value_always_lies_inside():
    said = np.array([[5.0, 0.0, 0.0]])
    value, low, high = bounded(said, np.full(30, 0.1), np.ones(30, np.uint8))[0]
    assert low <= value <= high


def test_of_rows_like_those_that_taught_nine_in_ten_lie_inside():
    random = np.random.default_rng(0)
    inside = []
    for _ in range(40):
        x = random.normal(size=(120, 3))
        y = x @ [1.0, -2.0, 0.5] + random.normal(size=120)
        folds = np.arange(60) % 5 + 1
        fits = [np.linalg.lstsq(x[:60][folds != f], y[:60][folds != f], rcond=None)[0] for f in range(6)]
        held_out = np.array([x[i] @ fits[folds[i]] for i in range(60)])
        errors = np.abs(y[:60] - held_out)
        made = Regression(np.stack(fits, axis=1), np.zeros(6), errors, folds.astype(np.uint8), "plain")
        _, low, high = made.estimates(x[60:].astype(np.float32)).T
        inside += ((low <= y[60:]) & (y[60:] <= high)).tolist()
    assert 0.87 < np.mean(inside) < 0.95  # of 2,400


def test_many_texts_are_said_the_same_as_one_by_one(regression):
    texts = ["x" * (i % 7) for i in range(AT_ONCE + 5)]
    together = regression.estimates(Plain().encode(texts))
    assert together.shape == (AT_ONCE + 5, 3)
    np.testing.assert_allclose(together[-1:], regression.estimates(Plain().encode(texts[-1:])))
    assert regression.estimates(Plain().encode([])).shape == (0, 3)


def test_with_support_it_weighs_likeness():
    support = np.eye(2, dtype=np.float32)
    made = Regression(
        np.array([[3.0], [1.0]]), np.zeros(1), np.zeros(0), np.zeros(0, np.uint8), "e", support, 2.0
    )
    expected = similarity(support, support, 2.0) @ [3, 1]
    np.testing.assert_allclose(made.said_by_each(support)[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("kernel", [False, True])
def test_it_comes_back_from_disk_and_answers_texts(regression, kernel, tmp_path):
    if kernel:
        support = np.array([[3, 1], [5, 1]], np.float32)
        fields = {name: getattr(regression, name) for name in regression.__struct_fields__}
        regression = Regression(**{**fields, "support": support, "gamma": 0.1})
    answers = opened(regression.keep(tmp_path, task="price"), encoder=Plain())
    assert isinstance(answers, Estimating)
    texts = ["abc", "abcdef"]
    assert np.array_equal(answers.estimates(texts), regression.estimates(Plain().encode(texts)))


def test_another_encoder_is_refused(regression, tmp_path):
    other = Plain()
    other.name = "other"
    with pytest.raises(EncoderError, match="taught on the encoder 'plain', this process has 'other'"):
        opened(regression.keep(tmp_path), encoder=other)


@pytest.mark.parametrize(("said", "value"), [("12.5", 12.5), (" -3 ", -3), ("1e3", 1000)])
def test_a_number_is_read(said, value):
    assert number(said) == value


@pytest.mark.parametrize("said", ["", "ten", "nan", "inf", "-inf", "1,5"])
def test_what_is_no_number_is_told_apart(said):
    assert isnan(number(said))

"""A classifier head: its scores, its probabilities, and its way to disk and back."""

import numpy as np
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.sums import Sums
from openflywheel.base.instruments.vectors import classes, log_prior

LABELS = ("login", "parcel", "refund")


def unit(rows, width, seed=0):
    x = np.random.default_rng(seed).normal(size=(rows, width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=["linear", "kernel"])
def head(request):
    """A head of either kind on vectors of width 5."""
    random = np.random.default_rng(1)
    support, gamma = (None, 0.0) if request.param == "linear" else (unit(7, 5, seed=2), 2.0)
    weights = random.normal(size=(5 if support is None else 7, 3)).astype(np.float32)
    bias = random.normal(size=3).astype(np.float32)
    return Head(LABELS, weights, bias, "encoder-v1", 3.5, support, gamma)


def test_a_linear_head_scores_by_hand():
    head = Head(("a", "b"), np.array([[1, 0], [0, 2]], np.float32), np.array([0, 0.5], np.float32), "e")
    vectors = np.array([[1, 0], [0, 1], [0.5, 0.5]], np.float32)
    assert head.scores(vectors).tolist() == [[1, 0.5], [0, 2.5], [0.5, 1.5]]
    assert head.predict(vectors) == ["a", "b", "b"]


def test_a_kernel_head_weighs_likeness_to_its_examples():
    support = np.eye(2, dtype=np.float32)
    head = Head(("a", "b"), np.eye(2, dtype=np.float32), np.zeros(2, np.float32), "e", 1.0, support, 2.0)
    seen = head.scores(np.array([[1, 0], [0, 1]], np.float32))
    assert seen == pytest.approx(np.array([[1, np.exp(-2)], [np.exp(-2), 1]]), rel=1e-6)


def test_the_likeliest_label_is_the_one_it_predicts(head):
    vectors = unit(50, 5)
    probabilities = head.probabilities(vectors)
    assert probabilities.shape == (50, 3)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(50), abs=1e-5)
    assert head.predict(vectors) == [LABELS[i] for i in probabilities.argmax(axis=1)]


def test_sharpness_makes_it_surer_and_changes_no_answer(head):
    vectors = unit(50, 5)
    fields = {name: getattr(head, name) for name in head.__struct_fields__}
    sharper = Head(**{**fields, "sharpness": 2 * head.sharpness})
    assert sharper.predict(vectors) == head.predict(vectors)
    assert (sharper.probabilities(vectors).max(axis=1) > head.probabilities(vectors).max(axis=1)).all()


def test_nothing_is_answered_by_nothing(head):
    nothing = np.zeros((0, 5), np.float32)
    assert head.predict(nothing) == []
    assert head.probabilities(nothing).shape == (0, 3)


def test_it_comes_back_from_disk_as_it_was(head, tmp_path):
    vectors = unit(20, 5)
    place = head.keep(tmp_path, method="m", report={"accuracy": 0.5})
    back = Head.read(place)
    assert np.array_equal(back.probabilities(vectors), head.probabilities(vectors))
    assert (back.labels, back.encoder, back.sharpness, back.gamma) == (
        head.labels, head.encoder, head.sharpness, head.gamma,
    )  # fmt: skip
    assert artefact.read(place)[0]["report"] == {"accuracy": 0.5}
    assert head.keep(tmp_path, method="m", report={"accuracy": 0.5}) == place


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(StoreError, match="there is no model in"):
        Head.read(tmp_path / "nowhere")


def summed(labels, x, prior="balanced"):
    """A head of sums, with a temperature of 2."""
    names, places = classes(labels)
    sums = Sums.of(x, np.eye(len(names))[places], np.ones(len(x)))
    empty = np.zeros((x.shape[1], len(names)), np.float32)
    return Head(names, empty, np.zeros(len(names), np.float32), "e", 2.0, prior=prior).changed(sums)


@pytest.mark.parametrize("prior", ["balanced", "traffic"])
def test_a_head_that_gives_up_rows_is_the_head_of_the_others(prior):
    x, labels = unit(90, 5), [LABELS[i % 3] for i in range(90)]
    head = summed(labels, x, prior)
    less = head.changed(head.sums.minus(x[:20], head.indicators(labels[:20]), np.ones(20)))
    alone = summed(labels[20:], x[20:], prior)
    np.testing.assert_allclose(less.weights, alone.weights, rtol=1e-5)
    np.testing.assert_allclose(less.bias, alone.bias, rtol=1e-5)
    assert less.labels == LABELS


def test_a_label_whose_rows_are_all_given_up_is_forgotten():
    x, labels = unit(60, 5), [LABELS[i % 3] for i in range(60)]
    head = summed(labels, x)
    own = np.array([label == "parcel" for label in labels])
    less = head.changed(head.sums.minus(x[own], head.indicators(["parcel"] * own.sum()), np.ones(own.sum())))
    assert less.labels == ("login", "refund")
    assert less.probabilities(x).shape == (60, 2)
    again = less.changed(less.sums.plus(x[:2], less.indicators(["login", "refund"]), np.ones(2)))
    assert again.labels == less.labels


def test_traffic_makes_frequent_labels_likelier_by_as_much():
    x = unit(80, 5)
    labels = ["login"] * 60 + ["parcel"] * 20
    even, traffic = (summed(labels, x, prior) for prior in ("balanced", "traffic"))
    odds = [np.log(head.probabilities(x)) @ [1, -1] for head in (even, traffic)]
    np.testing.assert_allclose(odds[1] - odds[0], np.log(61 / 21), rtol=1e-3)
    assert np.exp(log_prior(np.array([60.0, 20.0]))).tolist() == pytest.approx([61 / 82, 21 / 82])


def test_sums_and_the_prior_come_back_from_disk(tmp_path):
    head = summed(["a", "b"] * 9, unit(18, 5), "traffic")
    back = Head.read(head.keep(tmp_path))
    assert back.prior == "traffic"
    assert np.array_equal(back.sums.gram, head.sums.gram)
    assert np.array_equal(back.changed(back.sums).weights, head.weights)


def test_a_label_that_a_head_does_not_know_has_no_indicator():
    with pytest.raises(ValueError, match="not in"):
        summed(["a", "b"], unit(2, 5)).indicators(["c"])

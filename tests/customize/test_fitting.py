import numpy as np
import pytest

from openflywheel.base.forms.head import Head
from openflywheel.base.instruments.vectors import similarity
from openflywheel.customize._fitting import (
    GAMMA,
    RIDGE,
    WAYS,
    balance,
    centroid,
    discriminant,
    kernel_ridge,
    logistic,
)

EVERY = (*WAYS, discriminant)


def blobs(n, k, spread=0.15, seed=0, width=24):
    """n unit vectors around k directions, and their classes."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(k, width))
    y = np.arange(n) % k
    x = centres[y] / np.linalg.norm(centres[y], axis=1, keepdims=True) + spread * random.normal(
        size=(n, width)
    )
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y.astype(np.intp)


def ones(n):
    return np.ones(n, np.float32)


def scores(fitted, x, k):
    return Head(
        tuple("abcdefghij"[:k]), fitted.weights, fitted.bias, "", 1.0, fitted.support, fitted.gamma
    ).scores(x)


@pytest.mark.parametrize("way", EVERY)
def test_every_way_learns_what_can_be_learned(way):
    x, y = blobs(200, 4)
    fitted = way(x[:100], y[:100], 4, ones(100))
    assert np.mean(scores(fitted, x[100:], 4).argmax(axis=1) == y[100:]) > 0.9


@pytest.mark.parametrize("way", EVERY)
def test_held_out_scores_know_nothing_of_the_row_itself(way):
    x, _ = blobs(120, 3)
    noise = np.random.default_rng(5).integers(0, 3, 120).astype(np.intp)
    fitted = way(x, noise, 3, ones(120))
    assert np.mean(fitted.held_out.argmax(axis=1) == noise) < 0.5  # a third by chance


def refit_without(i, x, y, k, weight):
    """Scores of row i by a head that was fitted without it, with the weights of all rows."""
    keep = np.arange(len(y)) != i
    root = np.sqrt(balance(y, k, weight))[keep, None]
    kernel = root * similarity(x[keep], x[keep], GAMMA) * root.T + RIDGE * np.eye(keep.sum())
    alpha = np.linalg.solve(kernel, root * np.eye(k)[y[keep]])
    return (similarity(x[i : i + 1], x[keep], GAMMA) @ (root * alpha))[0]


def test_the_closed_form_of_leaving_one_out_equals_leaving_one_out():
    x, y = blobs(40, 3, spread=0.5)
    y[:5] = 0  # classes of unequal size, so that the weights matter
    weight = np.linspace(0.2, 3, 40).astype(np.float32)
    fitted = kernel_ridge(x, y, 3, weight)
    for i in range(0, 40, 7):
        np.testing.assert_allclose(fitted.held_out[i], refit_without(i, x, y, 3, weight), atol=2e-3)


def test_the_closed_form_of_leaving_a_person_out_equals_leaving_the_person_out():
    x, y = blobs(40, 3, spread=0.5)
    people = np.array([0, 0, 0, 1, *range(2, 30), *[30] * 8])
    weight = np.linspace(0.2, 3, 40).astype(np.float32)
    fitted = kernel_ridge(x, y, 3, weight, people)
    root = np.sqrt(balance(y, 3, weight))[:, None]
    for person in (0, 1, 7, 30):
        own, rest = np.flatnonzero(people == person), people != person
        kernel = root[rest] * similarity(x[rest], x[rest], GAMMA) * root[rest].T + RIDGE * np.eye(rest.sum())
        alpha = np.linalg.solve(kernel, root[rest] * np.eye(3)[y[rest]])
        expected = similarity(x[own], x[rest], GAMMA) @ (root[rest] * alpha)
        np.testing.assert_allclose(fitted.held_out[own], expected, atol=2e-3)


@pytest.mark.parametrize("way", EVERY)
def test_people_of_one_row_each_are_rows(way):
    x, y = blobs(90, 3, spread=0.5)
    alone, rows = way(x, y, 3, ones(90)), way(x, y, 3, ones(90), np.arange(90))
    np.testing.assert_array_equal(alone.held_out, rows.held_out)


@pytest.mark.parametrize("way", EVERY)
def test_held_out_scores_know_nothing_of_the_persons_other_rows(way):
    """Everybody says one thing five times, and labels are drawn by lot: a copy would know the label."""
    people = np.repeat(np.arange(60), 5)
    x, noise = blobs(60, 3)[0][people], np.random.default_rng(5).integers(0, 3, 60)[people].astype(np.intp)
    apart, together = way(x, noise, 3, ones(300), people), way(x, noise, 3, ones(300))
    hits = [np.mean(fitted.held_out.argmax(axis=1) == noise) for fitted in (apart, together)]
    assert hits[0] < 0.45
    assert hits[1] > hits[0] + 0.1
    np.testing.assert_array_equal(apart.weights, together.weights)  # all teach what is kept


def test_a_centroid_leaves_a_person_out_of_the_means_of_all_labels():
    x, y = blobs(24, 3)
    people = np.array([*[0] * 7, *range(1, 18)])
    fitted = centroid(x, y, 3, np.linspace(0.5, 2, 24).astype(np.float32), people)
    rest = centroid(x[7:], y[7:], 3, np.linspace(0.5, 2, 24)[7:].astype(np.float32))
    np.testing.assert_allclose(fitted.held_out[:7], x[:7] @ rest.weights, atol=1e-5)


def test_a_label_that_one_person_alone_has_is_unknown_without_that_person():
    x, y = blobs(30, 3)
    people = np.where(y == 2, 99, np.arange(30))
    np.testing.assert_array_equal(centroid(x, y, 3, ones(30), people).held_out[y == 2, 2], 0)


def test_a_centroid_leaves_a_row_out_of_its_own_mean():
    x, y = blobs(12, 3)
    fitted = centroid(x, y, 3, ones(12))
    mean = x[(y == y[0]) & (np.arange(12) != 0)].sum(axis=0)
    assert fitted.held_out[0, y[0]] == pytest.approx(float(x[0] @ mean / np.linalg.norm(mean)), abs=1e-5)


def test_every_class_weighs_the_same():
    y = np.array([0, 0, 0, 1])
    weights = balance(y, 2, ones(4))
    assert weights[:3].sum() == pytest.approx(weights[3])
    assert weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("way", EVERY)
def test_rows_of_little_weight_teach_little(way):
    x, y = blobs(240, 3, spread=0.5)
    wrong = np.random.default_rng(1).random(120) < 0.4
    taught = np.where(wrong, (y[:120] + 1) % 3, y[:120])
    trusted = way(x[:120], taught, 3, np.where(wrong, 0.01, 1).astype(np.float32))
    blind = way(x[:120], taught, 3, ones(120))
    right, less = (np.mean(scores(f, x[120:], 3).argmax(axis=1) == y[120:]) for f in (trusted, blind))
    assert right > less


def test_within_a_class_rows_weigh_as_they_are_told():
    weights = balance(np.array([0, 0, 1]), 2, np.array([3, 1, 8], np.float32))
    np.testing.assert_allclose(weights, [1.125, 0.375, 1.5])


def test_logistic_regression_is_only_tried_with_enough_rows_and_kernels_not_with_too_many():
    x, y = blobs(20, 4)
    assert logistic(x, y, 4, ones(20)) is None
    many = np.zeros((3_001, 2), np.float32)
    assert kernel_ridge(many, np.zeros(3_001, np.intp), 1, ones(3_001)) is None


def test_the_discriminant_keeps_the_sums_that_it_was_solved_from():
    x, y = blobs(90, 3)
    fitted = discriminant(x, y, 3, ones(90))
    weights, bias = fitted.sums.discriminant()
    np.testing.assert_allclose(fitted.weights, weights, rtol=1e-5)
    np.testing.assert_allclose(fitted.bias, bias, rtol=1e-5)
    assert fitted.sums.weight.tolist() == [30, 30, 30]


def test_a_class_that_a_head_has_never_seen_scores_lowest():
    x, y = blobs(61, 3)
    y[y == 2] = 1
    y[60] = 2  # the only one of its class
    fitted = discriminant(x, y, 3, ones(61))
    assert fitted.held_out[60, 2] == fitted.held_out[60].min()
    assert not np.isnan(fitted.held_out).any()

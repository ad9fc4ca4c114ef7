"""Sums that a linear model is solved from: rows come and go exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.sums import Sums


def material(n=60, width=6, k=3, seed=0):
    """Vectors, indicators of k classes in turn, and weights."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, width)).astype(np.float32)
    return x, np.eye(k)[np.arange(n) % k], random.uniform(0.2, 3, n)


def test_ridge_regression_by_hand():
    x, y = np.array([[-1.0], [0.0], [1.0]]), np.array([[1.0], [2.0], [6.0]])
    weights, bias = Sums.of(x, y, np.ones(3)).solved(2.0)
    assert weights == pytest.approx(np.array([[5 / 4]]))  # x'y / (x'x + 2), for x has the mean 0
    assert bias == pytest.approx([3.0])


def test_the_bias_is_not_held_down():
    x, _, w = material()
    _, bias = Sums.of(x, np.full((60, 1), 1e6), w).solved(1e9)
    assert bias == pytest.approx([1e6])


def test_a_weight_of_two_is_a_row_given_twice():
    x, y, w = material()
    w[:] = 1
    w[5] = 2
    twice = Sums.of(np.vstack([x, x[5]]), np.vstack([y, y[5]]), np.ones(61))
    for one, other in zip(Sums.of(x, y, w).solved(0.5), twice.solved(0.5), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-10)


@given(st.integers(1, 50), st.integers(0, 1_000))
@settings(max_examples=30)
def test_taking_rows_out_leaves_what_the_others_give(taken, seed):
    x, y, w = material(seed=seed)
    rest = slice(taken, None)
    less = Sums.of(x, y, w).minus(x[:taken], y[:taken], w[:taken])
    for name in ("solved", "discriminant"):
        found, alone = getattr(less, name)(1.0), getattr(Sums.of(x[rest], y[rest], w[rest]), name)(1.0)
        for one, other in zip(found, alone, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-8)


def test_adding_rows_is_the_way_back():
    x, y, w = material()
    everything = Sums.of(x, y, w)
    back = everything.minus(x[:9], y[:9], w[:9]).plus(x[:9], y[:9], w[:9])
    np.testing.assert_allclose(back.gram, everything.gram, atol=1e-10)
    np.testing.assert_allclose(back.cross, everything.cross, atol=1e-10)


def test_a_class_is_known_by_its_weight_and_its_mean():
    x, y, w = material()
    sums = Sums.of(x, y, w)
    own = y[:, 1] > 0
    assert sums.weight[1] == pytest.approx(w[own].sum())
    np.testing.assert_allclose(sums.means()[1], np.average(x[own], axis=0, weights=w[own]), atol=1e-6)


def test_a_class_without_rows_is_exactly_gone():
    x, y, w = material()
    own = y[:, 2] > 0
    less = Sums.of(x, y, w).minus(x[own], y[own], w[own])
    assert less.weight[2] == 0
    assert not less.means()[2].any()
    weights, bias = less.discriminant()
    assert not weights[:, 2].any()
    assert bias[2] == 0


def test_the_discriminant_is_the_log_odds_of_normal_classes():
    random = np.random.default_rng(3)
    centres = np.array([[0.0, 0.0], [2.0, 1.0]])
    spread = np.array([[1.0, 0.6], [0.6, 1.0]])
    y = np.arange(20_000) % 2
    x = centres[y] + random.multivariate_normal([0, 0], spread, 20_000)
    weights, bias = Sums.of(x, np.eye(2)[y], np.ones(20_000)).discriminant(0.0)
    inverse = np.linalg.inv(spread)
    np.testing.assert_allclose(weights[:, 1] - weights[:, 0], inverse @ centres[1], atol=0.1)
    assert bias[1] - bias[0] == pytest.approx(-centres[1] @ inverse @ centres[1] / 2, abs=0.15)


def test_how_often_a_class_is_seen_does_not_move_the_discriminant():
    x, y, _ = material(n=600)
    often = np.where(y[:, 0] > 0, 9.0, 1.0)
    one, other = (Sums.of(x, y, weight).discriminant()[1] for weight in (np.ones(600), often))
    assert abs((other - one)[0]) < 0.05  # the log of 9 would be 2.2


def test_they_are_kept_by_name_and_read_back():
    sums = Sums.of(*material())
    back = Sums.read({"weights": np.zeros(1), **sums.tensors})
    assert np.array_equal(back.gram, sums.gram)
    assert np.array_equal(back.cross, sums.cross)
    assert Sums.read({"weights": np.zeros(1)}) is None

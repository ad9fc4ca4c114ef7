from math import atanh, tanh

import numpy as np
import pytest
from scipy import stats

from openflywheel.velocity._association import correlation


def drawn(seed, n=300, rho=0.5):
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * random.normal(size=n)


def test_it_is_pearsons_correlation_and_about_fishers_interval_for_single_observations():
    x, y = drawn(0)
    value, low, high = correlation(x, y, [str(i) for i in range(300)], 0.95)
    assert value == pytest.approx(stats.pearsonr(x, y)[0])
    half = 1.96 / np.sqrt(297)
    assert (low, high) == pytest.approx((tanh(atanh(value) - half), tanh(atanh(value) + half)), abs=0.03)


def test_repeating_what_people_said_makes_it_no_surer():
    x, y = drawn(1, n=60)
    names = [str(i) for i in range(60)]
    once, often = correlation(x, y, names, 0.95), correlation(np.tile(x, 9), np.tile(y, 9), names * 9, 0.95)
    assert often == pytest.approx(once)


def test_neither_scale_nor_place_nor_order_matter():
    x, y = drawn(2)
    names = [str(i % 50) for i in range(300)]
    moved = correlation(1e6 + 3 * x[::-1], 7 - y[::-1] / 9, names[::-1], 0.99)
    value, low, high = correlation(x, y, names, 0.99)
    assert moved == pytest.approx((-value, -high, -low), abs=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "clusters"),
    [
        ([1, 1, 1, 1], [1, 2, 3, 4], "abcd"),
        ([1, 2, 3, 4], [5, 5, 5, 5], "abcd"),
        ([0, 0, 0, 1], [1, 2, 3, 4], "abcd"),  # without the last there is nothing to correlate
        ([1, 2, 3, 4], [1, 2, 3, 5], "aaaa"),
        ([0.1 + 0.2] * 3 + [0.3], [1, 2, 3, 4], "abcd"),
    ],
)
def test_where_it_cannot_be_told_everything_is_possible(x, y, clusters):
    assert correlation(x, y, list(clusters), 0.95) == (0.0, -1.0, 1.0)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    inside = 0
    for seed in range(400):
        x, y = drawn(seed, n=120, rho=0.4)
        _, low, high = correlation(x, y, [str(i) for i in range(120)], 0.9)
        inside += low <= 0.4 <= high
    assert 0.86 <= inside / 400 <= 0.95

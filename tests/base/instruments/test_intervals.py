"""Wilson's interval against the literature and against what an interval must do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from openflywheel.base.instruments.intervals import wilson

LEVELS = st.floats(0.5, 0.999)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_published_examples(successes, n, low, high):
    """Newcombe 1998, Statistics in Medicine 17:857, table I, method 3."""
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_without_data_everything_is_possible():
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_edges_are_reached_exactly():
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


@given(st.integers(1, 10**6), st.floats(0, 1), LEVELS)
def test_it_holds_what_was_seen_and_stays_a_share(n, share, level):
    low, high = wilson(share * n, n, level)
    assert 0 <= low <= share * n / n <= high <= 1
    assert low < high


@given(st.integers(1, 1000), st.floats(0, 1), LEVELS)
def test_it_is_the_set_of_shares_that_a_z_test_keeps(n, share, level):
    """The defining equation holds at both ends: n (seen - p)^2 = z^2 p (1 - p)."""
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + level) / 2)
    for p in wilson(share * n, n, level):
        assert n * (share - p) ** 2 == pytest.approx(z**2 * p * (1 - p), abs=1e-9 * n, rel=1e-6)


@given(st.integers(0, 50), st.integers(50, 100), LEVELS)
def test_failures_mirror_successes(successes, n, level):
    low, high = wilson(successes, n, level)
    assert wilson(n - successes, n, level) == pytest.approx((1 - high, 1 - low))


@given(st.integers(0, 100), st.floats(1.1, 50))
def test_more_data_and_less_confidence_narrow_it(successes, more):
    def width(*given):
        low, high = wilson(*given)
        return high - low

    assert width(successes * more, 100 * more) < width(successes, 100)
    assert width(successes, 100, 0.8) < width(successes, 100, 0.95)


@pytest.mark.parametrize("n", [5, 20, 100])
def test_the_mean_coverage_is_as_promised(n):
    """Exact: the chance of each outcome, summed over the outcomes whose interval holds the truth."""
    intervals = np.array([wilson(k, n) for k in range(n + 1)])
    covered = [
        binom.pmf(np.arange(n + 1), n, p)[(intervals[:, 0] <= p) & (p <= intervals[:, 1])].sum()
        for p in np.linspace(0.005, 0.995, 199)
    ]
    assert 0.945 < np.mean(covered) < 0.97
    assert min(covered) > 0.82

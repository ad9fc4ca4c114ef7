"""Risk control: exact numbers by hand, and its level over simulated samples."""

from math import ceil, log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from openflywheel.serve._risk import FIRST, LEVEL, Control, at_most, control, fewest, reason, sizes

ERRORS = st.sampled_from([0.005, 0.01, 0.02, 0.05, 0.2, 0.5])
SAMPLES = st.lists(st.tuples(st.sampled_from([i / 20 for i in range(21)]), st.booleans()), max_size=200)


def found(pairs, error):
    return control([sure for sure, _ in pairs], [wrong for _, wrong in pairs], error)


class TestTail:
    @given(st.integers(0, 40), st.integers(1, 3_000), ERRORS)
    def test_it_is_the_binomial_one(self, mistakes, n, error):
        assert at_most(mistakes, n, error) == pytest.approx(binom.cdf(mistakes, n, error), abs=1e-9)

    def test_many_answers_do_not_vanish_from_the_floating_point_numbers(self):
        assert at_most(2_000, 100_000, 0.02) == pytest.approx(binom.cdf(2_000, 100_000, 0.02), abs=1e-6)


class TestSizes:
    @pytest.mark.parametrize("error", [0.01, 0.02, 0.05])
    def test_without_a_mistake_the_fewest_are_known_in_closed_form(self, error):
        assert fewest(0, error) == ceil(log(1 - LEVEL) / log(1 - error))

    @given(st.integers(0, 20), ERRORS)
    def test_one_fewer_would_not_do(self, mistakes, error):
        n = fewest(mistakes, error)
        assert binom.cdf(mistakes, n, error) <= 1 - LEVEL < binom.cdf(mistakes, n - 1, error)

    @settings(deadline=None)  # the first call of an error makes its table
    @given(st.integers(1, 1_000), ERRORS)
    def test_each_allows_one_more_mistake_up_to_the_whole_sample(self, n, error):
        tested = sizes(n, error)
        assert (tested == ()) == (n < fewest(0, error))
        assert list(tested) == sorted(set(tested))
        if tested:
            assert tested[-1] == n
            assert tested[0] >= FIRST * n
        for size in tested[:-1]:
            allowed = int(binom.ppf(1 - LEVEL, size, error)) - 1  # the most whose tail is below 5 %
            assert binom.cdf(allowed, size - 1, error) > 1 - LEVEL


class TestControl:
    def test_a_sample_that_is_too_small_certifies_nothing_however_right(self):
        assert found([(1.0, False)] * 148, 0.02) == Control(148)
        assert found([(1.0, False)] * 149, 0.02) == Control(149, 0.0, 149, 0)
        assert found([], 0.02) == Control(0)

    def test_it_stops_where_mistakes_begin(self):
        sure = [(1 - i / 1000, i >= 600) for i in range(1000)]
        certified = found(sure, 0.05)
        assert certified.threshold is not None
        assert 600 < certified.answered < 660
        assert certified.wrong == certified.answered - 600
        assert certified.answered == sum(c >= certified.threshold for c, _ in sure)

    def test_the_order_of_the_sample_does_not_count(self):
        pairs = [(1 - i / 1000, i % 60 == 59) for i in range(1000)]
        mixed = Random(0).sample(pairs, len(pairs))
        assert found(mixed, 0.05) == found(pairs, 0.05)

    def test_answers_of_equal_confidence_are_never_parted(self):
        tied = [(0.9, False)] * 400 + [(0.5, True)] * 600
        assert found(tied, 0.02) == Control(1000, pytest.approx(0.5), 400, 0)
        assert found(tied, 0.02).threshold > 0.5

    def test_confidence_without_meaning_certifies_nothing(self):
        assert found([(i / 1000, i % 10 == 0) for i in range(1000)], 0.05).threshold is None

    @given(SAMPLES, ERRORS)
    def test_what_it_certifies_holds_on_its_own_sample(self, pairs, error):
        certified = found(pairs, error)
        if certified.threshold is None:
            return
        above = [wrong for sure, wrong in pairs if sure >= certified.threshold]
        assert (len(above), sum(above)) == (certified.answered, certified.wrong)
        assert binom.cdf(certified.wrong, certified.answered, error) <= 1 - LEVEL + 1e-9

    @given(SAMPLES, ERRORS)
    def test_a_mistake_more_never_lowers_the_threshold(self, pairs, error):
        clean = found([(sure, False) for sure, _ in pairs], error)
        certified = found(pairs, error)
        if certified.threshold is not None:
            assert clean.threshold is not None
            assert clean.threshold <= certified.threshold

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("n", "error", "risk"),
        [
            (300, 0.05, lambda depth: 0.3 * depth**3),
            (1_000, 0.02, lambda depth: 0.3 * depth**3),
            (300, 0.05, lambda depth: 0.051),  # wrong as often everywhere, and a little too often
        ],
    )
    def test_its_level_holds_over_many_samples(self, n, error, risk):
        """`depth` is the share of questions that are surer; the risk of the answered part is its mean."""
        random, broken, times = Random(1), 0, 2_000
        mean = [0.0]
        for i in range(1, 1001):
            mean.append(mean[-1] + risk((i - 0.5) / 1000))
        for _ in range(times):
            depths = [random.random() for _ in range(n)]
            certified = control([1 - d for d in depths], [random.random() < risk(d) for d in depths], error)
            if certified.threshold is not None:
                reach = max(1, round(1000 * (1 - certified.threshold)))
                broken += mean[reach] / reach > error
        assert binom.sf(broken - 1, times, 1 - LEVEL) > 0.001


class TestReason:
    def test_it_says_the_share_the_threshold_and_the_bound(self):
        said = reason(Control(300, 0.834, 189, 1), 0.02)
        assert (
            said
            == "answers 63 % from a confidence of 0.834 on, at an error of at most 2 % (95 %): 1 of 189 wrong"
        )

    def test_it_says_how_many_labels_are_missing(self):
        assert reason(Control(40), 0.02).endswith("needs 149 labels even without a mistake: 109 more")

    def test_it_says_how_many_more_would_decide_at_the_same_rate(self):
        said = reason(Control(400, None, 400, 4), 0.02)
        assert "4 of 400 wrong; about 200 more labels would decide it" in said
        assert at_most(6, 600, 0.02) <= 1 - LEVEL < at_most(5, 500, 0.02)

    def test_it_says_when_labels_will_not_help(self):
        assert reason(Control(400, None, 400, 20), 0.02).endswith("before the model is better")

import numpy as np
import pytest
from scipy import stats

from openflywheel.base.instruments.intervals import paired_difference
from openflywheel.base.nouns import Model
from openflywheel.evaluate import Contest
from openflywheel.evaluate.accuracy import accuracy, mid_p


def model(name):
    return Model(name=name, task="route", base="", method="", taught_by=(name,))


def contest(wins, losses, both=0, neither=0, champion=True):
    """Questions of which the candidate alone, the champion alone, both or neither answer rightly."""
    candidate = ["a"] * wins + ["b"] * losses + ["a"] * both + ["b"] * neither
    old = ["b"] * wins + ["a"] * losses + ["a"] * both + ["b"] * neither
    n = len(candidate)
    return Contest(
        candidate=model("new"),
        champion=model("old") if champion else None,
        right=["a"] * n,
        candidate_says=candidate,
        champion_says=old,
        people=[str(i) for i in range(n)],
    )


def test_a_clear_gain_passes_with_its_interval():
    verdict = accuracy(contest(12, 2, both=20, neither=6))
    assert verdict.passed == "yes"
    assert verdict.score == pytest.approx(10 / 40)
    assert 0 < verdict.low < verdict.score < verdict.high
    assert verdict.n == 40


def test_a_clear_loss_is_refused():
    assert accuracy(contest(2, 12)).passed == "no"


def test_too_few_questions_are_inconclusive_and_it_says_how_many_are_wanted():
    verdict = accuracy(contest(3, 1, both=16))
    assert verdict.passed == "inconclusive"
    assert "more sealed questions would decide it" in verdict.reason


def test_questions_that_both_answer_alike_need_no_label():
    full, bare = contest(9, 2, both=20), contest(9, 2, both=20)
    bare = Contest(
        **{**{f: getattr(bare, f) for f in bare.__struct_fields__}, "right": ["a"] * 11 + [""] * 20}
    )
    assert accuracy(bare).score == accuracy(full).score
    assert accuracy(bare).passed == accuracy(full).passed == "yes"


def test_judged_questions_stand_for_those_that_were_not_drawn():
    half = contest(12, 4, both=24)
    half = Contest(
        **{**{f: getattr(half, f) for f in half.__struct_fields__}, "right": ["a", ""] * 8 + ["a"] * 24}
    )  # 6 wins and 2 losses of 8 judged, of 16 that differ
    assert accuracy(half).score == pytest.approx(8 / 40)


def test_without_any_question_nothing_is_promoted():
    assert accuracy(contest(0, 0)).passed == "inconclusive"


def test_the_first_model_has_nobody_to_beat():
    assert accuracy(contest(0, 0, champion=False)).passed == "yes"


def test_the_number_of_questions_that_it_asks_for_would_decide():
    verdict = accuracy(contest(6, 3, both=20))
    more = int(verdict.reason.split("about ")[1].split()[0])
    factor = more // 29 + 1
    assert mid_p(6 * factor, 3 * factor) <= 0.05 < mid_p(6 * (factor - 1), 3 * (factor - 1))


def test_mid_p_agrees_with_the_exact_binomial_test_less_half_its_last_point():
    assert mid_p(9, 3) == pytest.approx(
        stats.binomtest(9, 12, alternative="greater").pvalue - 0.5 * stats.binom.pmf(9, 12, 0.5)
    )


@pytest.mark.parametrize("n", [20, 60, 200])
def test_equal_models_are_seldom_promoted(n):
    random = np.random.default_rng(0)
    cells = random.multinomial(n, [0.08, 0.08, 0.84], size=4_000)
    promoted = np.mean([mid_p(w, lost) <= 0.05 for w, lost, _ in cells])
    assert promoted <= 0.06  # Monte Carlo error of 4,000 runs: .007 at two sigmas


def test_the_interval_of_a_difference_covers_the_truth():
    random = np.random.default_rng(1)
    cells = random.multinomial(80, [0.15, 0.05, 0.80], size=2_000)
    covered = [low <= 0.10 <= high for low, high in (paired_difference(w, lost, 80) for w, lost, _ in cells)]
    assert 0.93 <= np.mean(covered) <= 0.98


def test_a_margin_lets_pass_what_looks_better_and_is_surely_not_much_worse():
    promising = contest(7, 4, both=400)
    assert accuracy(promising).passed == "inconclusive"
    verdict = accuracy(promising, margin=0.02)
    assert verdict.passed == "yes"
    assert "not worse by more than 0.02" in verdict.reason


def test_a_margin_never_lets_pass_what_looks_worse_or_may_be_much_worse():
    assert accuracy(contest(4, 7, both=400), margin=0.02).passed == "inconclusive"
    assert accuracy(contest(7, 4, both=20), margin=0.02).passed == "inconclusive"


def test_models_that_are_worse_by_the_margin_seldom_pass():
    random = np.random.default_rng(2)
    cells = random.multinomial(500, [0.04, 0.06, 0.90], size=1_000)
    passed = [accuracy(contest(w, lost, both=n), margin=0.02).passed == "yes" for w, lost, n in cells]
    assert np.mean(passed) <= 0.065

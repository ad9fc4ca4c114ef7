"""Numbers before sealed questions: nearer, farther, or not known."""

import numpy as np
import pytest
from scipy import stats

from openflywheel.base.nouns import Model
from openflywheel.evaluate import Contest
from openflywheel.evaluate._gains import LEAST_PEOPLE, Gains
from openflywheel.evaluate.absolute_error import absolute_error


def model(name):
    return Model(name=name, task="price", base="", method="", taught_by=(name,))


def contest(right, new, old, people=None, champion=True):
    right, new, old = (
        [value if isinstance(value, str) else repr(float(value)) for value in column]
        for column in (right, new, old)
    )
    return Contest(
        candidate=model("new"),
        champion=model("old") if champion else None,
        right=right,
        candidate_says=new,
        champion_says=old,
        people=people or [str(i) for i in range(len(right))],
    )


def drawn(better, n=60, seed=0, spread=1.0):
    """A champion that is off by about 3, and a candidate that is nearer by `better` on average."""
    random = np.random.default_rng(seed)
    right = 100 * random.random(n)
    old = right + 3
    return contest(right, right + 3 - better - spread * random.normal(size=n).clip(-2.5, 2.5), old)


def test_a_clear_gain_passes_with_its_interval():
    verdict = absolute_error(drawn(1.0, spread=0.5))
    assert verdict.passed == "yes"
    assert verdict.score == pytest.approx(1.0, abs=0.2)
    assert 0 < verdict.low < verdict.score < verdict.high
    assert (verdict.n, verdict.check, verdict.task) == (60, "absolute_error", "price")
    assert verdict.reason.startswith("nearer by ")
    assert "60 of 60 differing answers judged, 60 people, 60 sealed questions" in verdict.reason


def test_a_clear_loss_is_refused():
    assert absolute_error(drawn(-1.0)).passed == "no"


def test_with_one_question_a_person_it_is_students_test():
    asked = drawn(0.2, n=30)
    right, new, old = (
        np.array(each, float) for each in (asked.right, asked.candidate_says, asked.champion_says)
    )
    gain = np.abs(old - right) - np.abs(new - right)
    verdict = absolute_error(asked)
    low, high = stats.ttest_1samp(gain, 0).confidence_interval(0.95)
    assert (verdict.low, verdict.high) == pytest.approx((low, high))


def test_questions_of_one_person_count_as_one_cluster():
    asked = drawn(0.5, n=20)
    fields = {
        name: list(getattr(asked, name)) * 10
        for name in ("right", "candidate_says", "champion_says", "people")
    }
    tenfold = Contest(candidate=asked.candidate, champion=asked.champion, **fields)
    once, often = absolute_error(asked), absolute_error(tenfold)
    assert (often.low, often.high, often.score) == pytest.approx((once.low, once.high, once.score))


def test_questions_that_both_answer_alike_need_no_label_and_gain_nothing():
    full = drawn(1.0, n=40)
    alike = ["5.0"] * 60
    longer = contest([*full.right, *[""] * 60], [*full.candidate_says, *alike], [*full.champion_says, *alike])
    assert absolute_error(longer).score == pytest.approx(0.4 * absolute_error(full).score)
    assert absolute_error(longer).n == 100
    assert "40 of 40 differing answers judged" in absolute_error(longer).reason


def test_questions_that_nobody_judged_are_left_to_those_that_were_drawn():
    asked = drawn(1.0, n=80)
    half = contest(
        [right if i % 2 else "" for i, right in enumerate(asked.right)],
        asked.candidate_says,
        asked.champion_says,
    )
    assert absolute_error(half).score == pytest.approx(absolute_error(asked).score, abs=0.3)
    assert "40 of 80 differing answers judged" in absolute_error(half).reason


def test_few_people_decide_nothing():
    asked = contest([0] * 20, [1] * 20, [5] * 20, people=["ann", "bob", "cem", "dan"] * 5)
    verdict = absolute_error(asked)
    assert verdict.passed == "inconclusive"
    assert (verdict.low, verdict.high) == (None, None)
    assert verdict.reason.endswith(f"questions of {LEAST_PEOPLE} people are needed")


def test_without_any_question_nothing_is_promoted_but_the_first():
    assert absolute_error(contest([], [], [])).passed == "inconclusive"
    assert absolute_error(contest([], [], [], champion=False)).passed == "yes"


def test_the_first_model_must_say_numbers():
    assert absolute_error(contest([1], [2], [""], champion=False)).passed == "yes"
    verdict = absolute_error(contest([1, 2], ["", "nan"], ["", ""], champion=False))
    assert verdict.passed == "no"
    assert verdict.reason == "it says no number to 2 of 2 sealed questions"


def test_a_champion_that_says_nothing_any_more_is_replaced():
    verdict = absolute_error(contest([1, 2], [1, 2], ["", ""]))
    assert verdict.passed == "yes"
    assert verdict.reason == "the champion says no number to any sealed question"


def test_questions_that_the_champion_leaves_open_do_not_count():
    asked = drawn(1.0, n=40)
    some = contest([*asked.right, 7], [*asked.candidate_says, 7], [*asked.champion_says, ""])
    assert absolute_error(some).score == absolute_error(asked).score


def test_a_right_answer_that_is_no_number_judges_nothing():
    asked = drawn(1.0, n=40)
    some = contest([*asked.right[:-1], "ten"], asked.candidate_says, asked.champion_says)
    assert "39 of 40 differing answers judged" in absolute_error(some).reason


def test_a_margin_lets_pass_what_looks_nearer_and_is_surely_not_much_farther():
    promising = drawn(0.1, n=100, spread=1.0, seed=11)
    plain = absolute_error(promising)
    assert plain.passed == "inconclusive"
    assert plain.score > 0
    assert "more sealed questions would decide it" in plain.reason
    verdict = absolute_error(promising, margin=0.5)
    assert verdict.passed == "yes"
    assert verdict.reason.endswith("not worse by more than 0.5")


def test_a_margin_never_lets_pass_what_looks_farther():
    for seed in range(20):
        verdict = absolute_error(drawn(-0.05, seed=seed), margin=100)
        assert (verdict.passed == "yes") == (verdict.score > 0)


def test_the_number_of_questions_that_it_asks_for_would_decide():
    promising = drawn(0.1, n=100, spread=1.0, seed=11)
    more = int(absolute_error(promising).reason.split("about ")[1].split()[0])
    factor = more / 100 + 1
    gains = absolute_error(promising).score
    half = gains - absolute_error(promising, level=0.90).low
    assert half / factor**0.5 == pytest.approx(gains, rel=0.02)


def test_one_that_looks_farther_asks_for_no_more_questions():
    worse = next(
        v for seed in range(50) if (v := absolute_error(drawn(0.0, seed=seed))).score < 0 and v.passed != "no"
    )
    assert worse.reason.endswith("more questions will not show it to be better")


@pytest.mark.parametrize("people", [6, 30])
def test_equal_models_are_seldom_promoted_though_a_persons_questions_are_alike(people):
    random = np.random.default_rng(people)
    who = np.repeat(np.arange(people), 8)
    promoted = 0
    for _ in range(1_000):
        gain = random.normal(size=people)[who] + 0.5 * random.normal(size=len(who))
        gains = Gains(gain, [str(i) for i in who], len(who), len(who))
        promoted += gains.interval(0.90)[0] > 0
    assert promoted <= 65  # of 1,000 at 5 %; two sigmas are 14

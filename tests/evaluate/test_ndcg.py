import numpy as np
import pytest

from openflywheel.base.nouns import Model
from openflywheel.evaluate import Contest, judges
from openflywheel.evaluate.ndcg import KINDS, ndcg

FIRST, SECOND, NEVER = "right\na\nb", "a\nright\nb", "a\nb\nc"


def model(name):
    return Model(name=name, task="find", base="", method="", taught_by=(name,))


def contest(new, old, people=None, right="right", champion=True):
    """Questions with what the candidate and the champion say to each."""
    return Contest(
        candidate=model("new"),
        champion=model("old") if champion else None,
        right=[right] * len(new),
        candidate_says=new,
        champion_says=old,
        people=people or [str(i) for i in range(len(new))],
    )


def test_it_judges_rank_tasks_alone():
    assert KINDS == judges(ndcg) == ("rank",)


def test_a_clear_gain_passes_with_its_interval():
    verdict = ndcg(contest([FIRST] * 30 + [SECOND] * 10, [SECOND] * 30 + [FIRST] * 10))
    assert verdict.passed == "yes"
    assert verdict.score == pytest.approx(0.5 * (1 - 1 / np.log2(3)))
    assert 0 < verdict.low < verdict.score < verdict.high
    assert (verdict.check, verdict.n) == ("ndcg", 40)


def test_a_clear_loss_is_refused():
    assert ndcg(contest([NEVER] * 12, [FIRST] * 11 + [SECOND])).passed == "no"


def test_who_always_orders_alike_is_not_better():
    verdict = ndcg(contest([FIRST] * 20, [FIRST] * 20))
    assert (verdict.passed, verdict.score) == ("inconclusive", 0)
    assert "more questions will not show it to be better" in verdict.reason


def test_a_small_gain_is_inconclusive_and_says_how_many_questions_are_wanted():
    verdict = ndcg(contest([FIRST] * 9 + [SECOND] * 7, [SECOND] * 9 + [FIRST] * 7))
    assert verdict.passed == "inconclusive"
    assert "more sealed questions would" in verdict.reason


def test_one_person_who_asks_a_hundred_times_is_one_person():
    new, old = [FIRST] * 100 + [FIRST, SECOND] * 10, [SECOND] * 100 + [SECOND, FIRST] * 10
    people = ["loud"] * 100 + [str(i) for i in range(20)]
    assert ndcg(contest(new, old)).passed == "yes"
    assert ndcg(contest(new, old, people)).passed == "inconclusive"


def test_under_ten_people_decide_nothing():
    new, old = [FIRST] * 40, [SECOND, NEVER] * 20
    assert ndcg(contest(new, old, ["a", "b", "c", "d"] * 10)).passed == "inconclusive"
    one = ndcg(contest(new, old, ["a"] * 40))
    assert (one.passed, one.low, one.high) == ("inconclusive", None, None)
    assert "questions of 10 people are needed" in one.reason


def test_several_items_may_be_right():
    both = "right\nb"
    verdict = ndcg(contest(["right\nb\na"] * 12, ["right\na\nb"] * 12, right=both))
    assert verdict.score == pytest.approx(1 - (1 + 0.5) / (1 + 1 / np.log2(3)))


def test_what_both_order_alike_needs_no_label_and_judged_questions_stand_for_the_rest():
    full = contest([FIRST] * 12 + [NEVER] * 8, [SECOND] * 12 + [NEVER] * 8)
    bare = Contest(
        **{**{f: getattr(full, f) for f in full.__struct_fields__}, "right": ["right"] * 12 + [""] * 8}
    )
    half = Contest(
        **{**{f: getattr(full, f) for f in full.__struct_fields__}, "right": ["right", ""] * 6 + [""] * 8}
    )
    assert ndcg(bare).score == ndcg(full).score == pytest.approx(ndcg(half).score)
    assert "6 of 12 questions judged where the two differ, 20 sealed" in ndcg(half).reason


def test_a_margin_lets_pass_what_looks_better_and_is_surely_not_much_worse():
    new, old = [FIRST] * 22 + [SECOND] * 18 + [NEVER] * 360, [SECOND] * 22 + [FIRST] * 18 + [NEVER] * 360
    assert ndcg(contest(new, old)).passed == "inconclusive"
    verdict = ndcg(contest(new, old), margin=0.02)
    assert verdict.passed == "yes"
    assert "not worse by more than 0.02" in verdict.reason
    assert ndcg(contest(old, new), margin=0.02).passed == "inconclusive"


def test_the_first_model_has_nobody_to_beat_and_no_question_promotes_nobody():
    assert ndcg(contest([], [], champion=False)).passed == "yes"
    assert ndcg(contest([], [])).passed == "inconclusive"


def simulated(random, people=20, most=8):
    """The candidate is better for some people and worse for others."""
    counts = random.integers(1, most + 1, people)
    taste = random.normal(0, 0.5, people)
    wins = random.random(counts.sum()) < 1 / (1 + np.exp(-4 * np.repeat(taste, counts)))
    new = [FIRST if won else SECOND for won in wins]
    return contest(
        new, [SECOND if won else FIRST for won in wins], list(map(str, np.repeat(np.arange(people), counts)))
    )


@pytest.fixture(scope="module")
def equals():
    """Verdicts about 200 pairs of models that are equal on the whole, and not for each person."""
    random = np.random.default_rng(0)
    return [ndcg(simulated(random)) for _ in range(200)]


def test_equal_models_are_seldom_promoted_though_questions_come_in_clusters(equals):
    passed = [verdict.passed for verdict in equals]
    assert passed.count("yes") / 200 <= 0.085  # .05 nominal; two sigmas of 200 runs: .031
    assert passed.count("no") / 200 <= 0.085


def test_the_interval_holds_the_truth_as_often_as_it_says(equals):
    assert 0.92 <= np.mean([v.low <= 0 <= v.high for v in equals]) <= 0.98

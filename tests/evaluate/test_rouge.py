"""Texts before sealed questions: nearer to what people wrote, farther, or not known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.nouns import Model
from openflywheel.evaluate import Contest
from openflywheel.evaluate.rouge import MOST_WORDS, longest_common, nearness, rouge

GOOD, BAD = "your parcel is on its way", "hello how can i help"


def model(name):
    return Model(name=name, task="answer", base="", method="", taught_by=(name,))


def contest(right, new, old, people=None, champion=True):
    return Contest(
        candidate=model("new"),
        champion=model("old") if champion else None,
        right=right,
        candidate_says=new,
        champion_says=old,
        people=people or [str(i) for i in range(len(right))],
    )


@pytest.mark.parametrize(
    ("right", "said", "expected"),
    [
        (GOOD, GOOD, 1.0),
        (GOOD, "Your parcel is ON its way!", 1.0),
        (GOOD, BAD, 0.0),
        ("the cat sat", "the cat ran", 2 / 3),
        ("a b c d", "d c b a", 1 / 4),
        ("", "", 1.0),
        (GOOD, "", 0.0),
    ],
)
def test_nearness_by_hand(right, said, expected):
    assert nearness(right, said) == pytest.approx(expected)


def test_a_book_is_cut_before_it_takes_hours():
    assert nearness("word " * 3 * MOST_WORDS, "word " * 3 * MOST_WORDS) == 1.0


words = st.lists(st.sampled_from("abcd"), max_size=7)


@given(words, words)
def test_the_longest_common_subsequence_is_the_longest(a, b):
    def brute(x, y):
        if not x or not y:
            return 0
        if x[0] == y[0]:
            return 1 + brute(x[1:], y[1:])
        return max(brute(x[1:], y), brute(x, y[1:]))

    assert longest_common(a, b) == brute(a, b) == longest_common(b, a)


def test_a_nearer_writer_passes_with_its_interval():
    said = [GOOD if n % 10 else "your parcel" for n in range(40)]
    verdict = rouge(contest([GOOD] * 40, said, [BAD] * 40))
    assert verdict.passed == "yes"
    assert 0 < verdict.low < verdict.score < verdict.high
    assert verdict.check == "rouge"
    assert verdict.reason.startswith("ROUGE-L +0.9")


def test_a_farther_writer_is_refused():
    said = [BAD if n % 10 else "your parcel" for n in range(40)]
    assert rouge(contest([GOOD] * 40, said, [GOOD + "!"] * 40)).passed == "no"


def test_alike_writers_gain_nothing():
    verdict = rouge(contest([GOOD] * 8, [GOOD] * 8, [GOOD] * 8))
    assert (verdict.passed, verdict.score) == ("inconclusive", 0)


def test_questions_that_nobody_answered_are_not_judged():
    verdict = rouge(contest(["", GOOD] * 10, [GOOD] * 20, [BAD] * 20))
    assert "10 of 20 differing answers judged" in verdict.reason


def test_one_person_alone_decides_nothing():
    verdict = rouge(contest([GOOD] * 40, [GOOD] * 40, [BAD] * 40, people=["ann"] * 40))
    assert verdict.passed == "inconclusive"
    assert "questions of 5 people are needed" in verdict.reason


def test_the_first_model_passes():
    assert rouge(contest([], [], [], champion=False)).passed == "yes"

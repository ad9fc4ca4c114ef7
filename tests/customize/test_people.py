"""Whose rows are whose, and how they are parted by people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.nouns import Row
from openflywheel.customize._people import (
    LEAST_JUDGES,
    apart,
    halves,
    judging,
    numbered,
    parts_of,
    person,
)


def row(text, subject=""):
    return Row(text=text, source="t", subject=subject)


def test_a_row_is_its_subjects_and_without_one_it_is_its_texts():
    assert person(row("Hello", "key")) == "key"
    assert person(row("  Hello\n THERE")) == person(row("hello there")) == "hello there"


def test_a_share_of_people_judges_and_always_the_same():
    rows = [row(f"text {i}", f"p{i % 50}") for i in range(500)]
    first, more = judging(rows, 0.2, "s"), judging([*rows[::-1], row("new", "p99")], 0.2, "s")
    judges = {r.subject for r, judged in zip(rows, first, strict=True) if judged}
    assert 4 <= len(judges) <= 16
    assert sum(first) == 10 * len(judges)
    assert first == more[:500][::-1]
    assert first != judging(rows, 0.2, "another")


def test_with_few_people_texts_judge():
    alone = [row(f"text {i}", "me") for i in range(200)]
    assert 20 < sum(judging(alone, 0.2, "s")) < 70
    strangers = [row(f"text {i}") for i in range(200)]
    assert judging(alone, 0.2, "s") == judging(strangers, 0.2, "s")
    assert judging([*alone, row("TEXT  3", "me")], 0.2, "s")[-1] == judging(alone, 0.2, "s")[3]
    assert judging([], 0.2, "s") == []


def test_people_are_numbered_as_they_come():
    assert numbered(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]


def test_rows_of_one_person_alone_are_on_their_own():
    assert apart(["me"] * 3).tolist() == [0, 1, 2]
    assert apart(["me", "you", "me"]).tolist() == [0, 1, 0]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(1, 10))
def test_parts_hold_all_rows_once_and_nobody_is_in_two(people, count):
    who = numbered([str(one) for one in people])
    parts = parts_of(who, count)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(people)))
    assert len(parts) == min(count, len(set(people)))
    assert all(len(part) for part in parts)
    assert sum(len(set(who[part].tolist())) for part in parts) == len(set(people))


def test_parts_of_people_of_one_row_are_alike_in_size_and_always_the_same():
    first, again = parts_of(np.arange(100), 3), parts_of(np.arange(100), 3)
    assert sorted(map(len, first)) == [33, 33, 34]
    assert all((one == other).all() for one, other in zip(first, again, strict=True))


def test_halves_share_nobody_and_the_larger_tells():
    people = [str(i % 20) for i in range(100)] + ["much"] * 30
    ends, tells = halves(people)
    assert len(ends) + len(tells) == 130
    assert len(ends) <= len(tells)
    assert not {people[i] for i in ends} & {people[i] for i in tells}
    assert min(len(ends), len(tells)) >= 40


@pytest.mark.parametrize("people", [[str(i) for i in range(LEAST_JUDGES - 1)], ["me"] * 200, []])
def test_few_rows_and_one_person_end_nothing(people):
    ends, tells = halves(people)
    assert ends.tolist() == []
    assert tells.tolist() == list(range(len(people)))

"""Who is held out: a stable share of the people, each wholly on one side."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.holdout import held_out, person_of
from openflywheel.base.nouns import Exchange


def exchange(subject="", episode="talk", text="?"):
    return Exchange(episode=episode, task="route", input=text, output="x", variant="m", subject=subject)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5])
def test_it_is_the_share_of_people_that_was_asked_for(share):
    held = sum(held_out(exchange(f"person {i}"), share) for i in range(4_000))
    assert held == pytest.approx(4_000 * share, abs=5 * (4_000 * share * (1 - share)) ** 0.5)


@given(st.text(min_size=1), st.lists(st.text(), min_size=2, max_size=5), st.floats(0, 1))
def test_all_of_a_person_is_on_one_side_whatever_is_asked_and_where(person, texts, share):
    assert len({held_out(exchange(person, episode=t, text=t), share) for t in texts}) == 1


@given(st.lists(st.text(), min_size=2, max_size=5), st.floats(0, 1))
def test_of_an_unnamed_person_all_of_a_conversation_is(texts, share):
    assert len({held_out(exchange(episode="talk", text=t), share) for t in texts}) == 1
    talks = [held_out(exchange(episode=f"talk {i}"), 0.5) for i in range(50)]
    assert set(talks) == {True, False}


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_those_who_were_held_out(person, one, other):
    if held_out(exchange(person), min(one, other)):
        assert held_out(exchange(person), max(one, other))


def test_nobody_or_everybody_can_be_held_out():
    people = [exchange(f"person {i}") for i in range(200)]
    assert not any(held_out(e, 0.0) for e in people)
    assert all(held_out(e, 1.0) for e in people)


def test_another_process_holds_out_the_same_people():
    code = """
from openflywheel.base.holdout import held_out, person_of
from openflywheel.base.nouns import Exchange
def asks(i): return Exchange(episode="e", task="t", input="?", output="", variant="m", subject=f"person {i}")
print([i for i in range(60) if held_out(asks(i), 0.2)])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str([i for i in range(60) if held_out(exchange(f"person {i}"), 0.2)])


def test_an_unnamed_person_is_known_by_the_conversation():
    assert person_of(exchange("ann", "talk")) == "ann"
    assert person_of(exchange("", "talk")) == "talk"

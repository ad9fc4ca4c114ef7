"""Search words of a gap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.nouns import Gap, Verdict
from openflywheel.collect._value.queries import WORDS, queries
from openflywheel.collect._value.words import words

BATTERIES = [
    "how to dispose of a battery",
    "battery disposal near me",
    "where do I throw away an old battery",
    "is it legal to throw a battery in the bin",
]


def gap(topic="battery, disposal, recycle", asked=()):
    return Gap(topic=topic, why="x", queries=tuple(asked))


def test_the_first_query_speaks_for_most_examples():
    failing = [*BATTERIES, "trail shoes for wide feet", "shoes for trail running"]
    first, second, *_ = queries(gap(), failing, most=4)
    assert "battery" in first
    assert "shoes" in second


def test_never_more_than_asked_and_never_the_same_words_twice():
    failing = [*BATTERIES, "Battery disposal, near me?", "disposal of battery near me"]
    found = queries(gap(), failing, most=3)
    assert len(found) == 3
    bags = [frozenset(words(q)) for q in queries(gap(), failing, most=50)]
    assert len(bags) == len(set(bags))


def test_a_topic_alone_becomes_its_words():
    assert queries(gap(), []) == ["battery disposal recycle"]


def test_a_short_question_stays_as_it_was_asked():
    assert "is it legal to throw a battery in the bin" in queries(gap(), BATTERIES, most=9)


def test_of_a_long_text_the_words_remain_that_the_others_share():
    long = (
        "so yesterday evening my uncle came along with his huge camera and afterwards we both wondered "
        "whether the battery may go to the bin or needs some special disposal place around the corner"
    )
    found = queries(gap(), [*BATTERIES, long], most=20)
    (short,) = [q for q in found if "uncle" in q or "camera" in q or "yesterday" in q]
    assert len(short.split()) <= WORDS
    assert {"battery", "disposal", "bin"} <= set(short.split())


def test_nothing_personal_goes_out():
    failing = ["my name is Bob Miller, order 4711, where do I throw away an old battery", "mail bob@x.com"]
    said = " ".join(
        queries(gap(topic="order 4711, battery", asked=["call +49 30 1234567"]), failing, most=20)
    )
    assert not any(part in said for part in ("Bob", "Miller", "4711", "@", "1234567"))
    assert "battery" in said


def test_the_guards_are_asked_where_they_are_handed_in():
    def detect(text):
        passed = "no" if "secret" in text else "yes"
        return text.replace("Atlantis", ""), (Verdict(check="c", about="", passed=passed, n=1),)

    failing = ["battery in Atlantis", "my secret battery"]
    said = queries(gap(), failing, most=20, detect=detect)
    assert "battery in" in said
    assert not any("Atlantis" in q or "secret" in q for q in said)


def test_a_gap_without_words_has_no_queries():
    assert queries(gap(topic=""), []) == []
    assert queries(gap(topic="?!"), ["", "  ", "of the"]) == []
    assert queries(gap(), BATTERIES, most=0) == []


@given(st.lists(st.text(max_size=80), max_size=8), st.integers(0, 6))
def test_any_texts_give_few_short_and_the_same_queries_again(failing, most):
    found = queries(gap(), failing, most)
    assert found == queries(gap(), failing, most)
    assert len(found) <= most
    assert len(set(found)) == len(found)
    assert all(q.strip() and len(q.split()) <= WORDS for q in found)


@pytest.mark.parametrize("many", [1_000])
def test_many_examples_are_looked_at_in_part(many):
    assert len(queries(gap(), [f"battery question of kind {chr(97 + i % 26) * 3}" for i in range(many)])) == 5

"""Aims, and what a gap is aimed by."""

from msgspec import Struct

from openflywheel.base.nouns import Gap
from openflywheel.collect._value.aim import EXAMPLES, breadth_first, toward


class Link(Struct, frozen=True):
    url: str
    text: str = ""


def examples(gap, encoder, failing=()):
    own = toward(gap, encoder=encoder, known=list, worth=1.0, price=0.1, failing=failing)
    return own.state()["open"]


def test_without_a_gap_the_nearest_comes_first():
    links = [Link("https://a.com/x", "battery"), Link("https://a.com/y")]
    assert breadth_first.rate(links, None, 0) == [0, 0]
    assert breadth_first.rate(links, None, 3) == [-3, -3]
    assert breadth_first.learn("https://a.com/x", "text") == 0
    assert breadth_first.revised() == {}


def test_without_a_gap_it_is_never_enough_and_nothing_is_remembered():
    assert breadth_first.enough(-1e9) == ""
    assert breadth_first.state() == {}
    breadth_first.restore({"anything": 1})
    assert breadth_first.state() == {}


def test_a_gap_is_aimed_by_its_queries_and_by_what_failed(encoder):
    gap = Gap(topic="t", why="x", queries=("a battery", "shoes"))
    assert len(examples(gap, encoder)) == 2
    assert len(examples(gap, encoder, ["a battery", " shoes ", "a plan", ""])) == 3


def test_many_examples_are_cut(encoder):
    gap = Gap(topic="t", why="x", queries=tuple(f"question {i}" for i in range(100)))
    assert len(examples(gap, encoder)) == EXAMPLES


def test_a_gap_without_examples_is_aimed_by_its_topic(encoder):
    links = [Link("https://a.com/x", "battery disposal"), Link("https://a.com/y", "parking tickets")]
    own = toward(Gap(topic="battery, disposal", why="x"), encoder=encoder, known=list, worth=1.0, price=0.1)
    battery, parking = own.rate(links, None, 1)
    assert battery > parking

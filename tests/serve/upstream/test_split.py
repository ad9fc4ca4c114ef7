"""Which variant answers."""

from collections import Counter

import pytest

from openflywheel.serve._upstream.split import draw
from openflywheel.serve.routes import Route, Variant


def route(**weights: float) -> Route:
    return Route(variants={name: Variant(model=f"up/{name}", weight=w) for name, w in weights.items()})


def test_a_subject_keeps_its_variant():
    split = route(a=1, b=1)
    for person in map(str, range(50)):
        assert len({draw("answer", split, person) for _ in range(3)}) == 1


def test_shares_follow_the_weights():
    drawn = Counter(draw("answer", route(a=3, b=1), f"p{i}").variant for i in range(4000))
    assert 2850 < drawn["a"] < 3150  # 3,000; the standard deviation is 27


def test_without_a_subject_it_is_drawn_each_time():
    assert len({draw("answer", route(a=1, b=1), "") for _ in range(100)}) == 2


def test_the_propensity_is_the_share():
    assert draw("answer", route(a=3, b=1), "").propensity in (0.75, 0.25)
    assert draw("answer", route(a=5), "ann") == ("a", 1.0)


@pytest.mark.parametrize("person", ["", "ann"])
def test_a_weight_of_zero_is_never_drawn(person):
    assert {draw("answer", route(a=0, b=1, c=0), person).variant for _ in range(200)} == {"b"}


def test_a_shift_moves_only_those_who_must_move():
    before, after = route(a=50, b=50), route(a=60, b=40)
    people = [f"p{i}" for i in range(1000)]
    moved = [(draw("t", before, p).variant, draw("t", after, p).variant) for p in people]
    assert Counter(moved)["a", "b"] == 0
    assert 50 < Counter(moved)["b", "a"] < 150


def test_tasks_are_drawn_apart():
    split = route(a=1, b=1)
    people = [f"p{i}" for i in range(200)]
    same = sum(draw("one", split, p) == draw("two", split, p) for p in people)
    assert 60 < same < 140

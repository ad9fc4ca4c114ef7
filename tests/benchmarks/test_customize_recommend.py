import numpy as np
import pytest

from benchmarks.customize import recommend as benchmark


@pytest.fixture
def shop():
    random = np.random.default_rng(0)
    taste = random.integers(benchmark.TASTES, size=benchmark.ITEMS)
    return taste, [benchmark._visit(random, taste, str(number)) for number in range(60)], random


def test_new_items_are_chosen_last_alone(shop):
    _, visits, _ = shop
    assert any(benchmark._cold(visit.chosen[-1]) for visit in visits)
    assert not any(benchmark._cold(item) for visit in visits for item in visit.chosen[:-1])


def test_strangers_and_last_choices_do_not_teach(shop):
    taste, visits, random = shop
    lesson = benchmark._lesson(taste, visits, random)
    choices = lesson.rows
    known = {visit.person: visit for visit in visits if not visit.stranger}
    assert {row.subject for row in choices} == set(known)
    for person, visit in known.items():
        taught = [row.labels["next"] for row in choices if row.subject == person]
        assert taught == [str(item) for item in visit.chosen[:-1]]
    assert len(lesson.items) == benchmark.ITEMS


def test_snips_finds_the_value_of_another_policy():
    random = np.random.default_rng(1)
    action = random.integers(4, size=4_000)
    reward = (random.random(4_000) < np.array([0.1, 0.2, 0.3, 0.4])[action]).astype(float)
    weight = np.array([0.7, 0.1, 0.1, 0.1])[action] / 0.25
    value, (low, high) = benchmark._snips(weight, reward)
    assert value == pytest.approx(0.7 * 0.1 + 0.1 * 0.9, abs=0.02)
    assert low < 100 * value < high


def test_uniform_weights_give_the_mean():
    reward = np.array([1.0, 0, 0, 1])
    assert benchmark._snips(np.ones(4), reward)[0] == 0.5


def test_a_segment_is_its_four_features():
    row = {f"user_feature_{i}": f"{i}" * 20 for i in range(4)}
    assert benchmark._segment(row) == "00000000 11111111 22222222 33333333"

from math import log2

import pytest

from openflywheel.base.instruments.cumulative_gain import ndcg


def test_the_right_item_first_is_perfect_and_further_down_it_is_worth_less():
    found = [ndcg(["x"] * 0 + [f"w{i}" for i in range(place)] + ["right"], {"right"}) for place in range(4)]
    assert found == pytest.approx([1 / log2(place + 2) for place in range(4)])


def test_several_right_items_are_perfect_in_any_order_at_the_top():
    assert ndcg(["b", "a", "c"], {"a", "b"}) == pytest.approx(1)
    assert ndcg(["a", "c", "b"], {"a", "b"}) == pytest.approx((1 + 1 / 2) / (1 + 1 / log2(3)))


def test_only_the_first_k_count():
    said = [f"w{i}" for i in range(10)]
    assert ndcg([*said, "right"], {"right"}) == 0
    assert ndcg([*said, "right"], {"right"}, k=11) > 0


def test_more_right_items_than_places_can_still_be_perfect():
    rights = [str(i) for i in range(20)]
    assert ndcg(rights[5:15], rights) == pytest.approx(1)


def test_saying_an_item_twice_wins_nothing():
    assert ndcg(["a", "a", "b"], {"a", "b"}) == ndcg(["a", "b"], {"a", "b"})


def test_nothing_right_or_nothing_said_is_nothing():
    assert ndcg(["a"], set()) == 0
    assert ndcg([], {"a"}) == 0

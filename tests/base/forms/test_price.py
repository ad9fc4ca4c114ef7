"""Suggested prices: their bounds, their intervals and their reasons."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.forms.price import Item, Policy, Pricing, best_price, bounds, opened
from openflywheel.base.instruments.answers import Estimating

MUG = Item(price=10.0, lowest=8.0, highest=12.0, sales=30, prices=5, cost=4.0, elasticity=-2.0, deviation=0.1)
MARGIN = Policy("margin")


def mug(**changes):
    return msgspec.structs.replace(MUG, **changes)


def suggested(item, policy=MARGIN):
    return Pricing({"mug": item}, policy).suggested("mug")


def test_the_best_margin_is_where_calculus_says():
    assert best_price(-2.0, MUG, MARGIN, 0, 100) == pytest.approx(8)
    assert best_price(-3.0, MUG, MARGIN, 0, 100) == pytest.approx(6)
    tried = np.linspace(4, 30, 2_601)
    assert tried[np.argmax((tried - 4) * tried**-2.5)] == pytest.approx(
        best_price(-2.5, MUG, MARGIN, 0, 100), abs=0.01
    )


def test_demand_that_hardly_falls_bears_the_highest_price():
    assert best_price(-0.9, MUG, MARGIN, 5, 13) == 13
    assert best_price(-1.0, MUG, Policy("revenue"), 5, 13) == 13


def test_revenue_wants_the_lowest_price_where_demand_is_elastic():
    assert best_price(-1.1, MUG, Policy("revenue"), 5, 13) == 5


def test_bounds_are_what_was_tried_by_a_factor():
    assert bounds(MUG, Policy(reach=1.0)) == (8, 12)
    assert bounds(MUG, Policy(reach=1.25)) == pytest.approx((6.4, 15))


def test_the_floor_leaves_its_share_above_the_cost():
    low, _ = bounds(mug(cost=7.0), Policy(floor=0.25))
    assert low == pytest.approx(7 / 0.75)
    assert (low - 7) / low == pytest.approx(0.25)


def test_a_price_is_lowered_with_a_reason():
    said = suggested(MUG)
    assert said.price == 8
    assert said.reason == (
        "lower it from 10.00 to 8.00: margin +4% (90 %: +0% to +8%); sales change by -2.0 % for each 1 % of "
        "price (90 %: -2.2 to -1.8, from 30 sales at 5 prices and what the other items show); no lower was "
        "tried than 8.00"
    )


def test_a_price_is_raised_to_the_bound_and_the_reason_names_it():
    said = suggested(mug(elasticity=-0.5), Policy("revenue", reach=1.1))
    assert (said.price, said.low, said.high) == pytest.approx((13.2, 13.2, 13.2))
    assert said.reason.startswith("raise it from 10.00 to 13.20: revenue +15%")
    assert said.reason.endswith("no higher was tried than 12.00, by a factor of 1.1 at most")


def test_the_floor_is_named_where_it_binds():
    said = suggested(mug(elasticity=-6.0, price=11.0), Policy("margin", floor=0.6))
    assert said.price == 10
    assert said.reason.endswith("at least 60% must remain above the cost of 4.00")


def test_where_either_direction_may_be_better_the_price_is_kept():
    said = suggested(mug(elasticity=-1.6, deviation=0.5))
    assert said.price == 10
    assert (said.low, said.high) == (8, 12)
    assert said.reason.startswith(
        "kept at 10.00: the best price lies between 8.00 and 12.00; sales change by"
    )


def test_a_price_that_is_the_best_already_is_kept_and_it_says_so():
    said = suggested(mug(elasticity=-0.5, price=12.0), Policy("revenue"))
    assert (said.price, said.low, said.high) == (12, 12, 12)
    assert "kept at 12.00: it is the best within the bounds" in said.reason


@given(
    st.floats(-6, 1),
    st.floats(0.01, 1.0),
    st.floats(8, 12),
    st.floats(1, 7.5),
    st.sampled_from(["revenue", "margin"]),
)
def test_no_suggestion_loses_for_any_elasticity_of_the_interval(slope, deviation, price, cost, objective):
    item = mug(elasticity=slope, deviation=deviation, price=price, cost=cost)
    said = suggested(item, Policy(objective))
    assert 8 <= said.low <= said.high <= 12
    assert said.low <= said.price <= said.high
    spent = cost if objective == "margin" else 0
    for end in np.linspace(*item.ends, 7):
        now, then = ((p - spent) * p**end for p in (price, said.price))
        assert then >= now * (1 - 1e-9)


def test_one_that_is_sold_below_its_cost_is_raised():
    said = suggested(mug(price=8.0, cost=9.0, elasticity=-3.0))
    assert said.price == 12
    assert "it is sold at or below its cost" in said.reason


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"elasticity": None}, "not enough is known, for in 30 sales its price never varied"),
        ({"cost": None}, "not enough is known, for its cost is missing"),
        ({"cost": 13.0}, "no price within what was tried leaves 0% above its cost of 13.00"),
    ],
)
def test_where_not_enough_is_known_the_price_is_kept(changes, why):
    said = suggested(mug(**changes))
    assert said.price == 10
    assert said.low <= 10 <= said.high
    assert said.reason == f"kept at 10.00: {why}"


def test_revenue_needs_no_cost():
    assert suggested(mug(cost=None), Policy("revenue")).price == 8


def test_small_prices_are_told_with_their_digits():
    small = mug(price=0.0123, lowest=0.01, highest=0.02, elasticity=-0.2, cost=None)
    assert "from 0.0123 to 0.02:" in suggested(small, Policy("revenue")).reason


def test_items_are_asked_by_their_id_and_unknown_ones_have_no_number(tmp_path):
    prices = opened(Pricing({"mug": MUG}, MARGIN).keep(tmp_path, task="price"))
    assert isinstance(prices, Estimating)
    found = prices.estimates([" mug ", "jug"])
    assert found[0].tolist() == [8, prices.suggested("mug").low, prices.suggested("mug").high]
    assert np.isnan(found[1]).all()
    assert prices.reason("jug") == "nothing is known of an item 'jug': it was never sold"
    assert prices.estimates([]).shape == (0, 3)


def test_it_comes_back_from_disk_as_it_was(tmp_path):
    prices = Pricing({"mug": MUG, "jug": mug(elasticity=None, cost=None)}, Policy("revenue", 1.2, 0.1))
    assert opened(prices.keep(tmp_path)) == prices

"""Nothing is bought that the budget does not hold."""

import logging

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.base.settings import Budget
from openflywheel.collect._providers.purse import Purse


def test_what_is_spent_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    purse = Purse(Budget(dollars=1.0), 0.0)
    assert purse.refuse(0.75, "300 rows") is None
    with caplog.at_level(logging.WARNING):
        assert purse.refuse(0.5, "200 rows") == Drop("over budget.dollars of this turn")
    assert "200 rows would cost $0.5000, and $0.2500 of wheel.budget.dollars is left" in caplog.text
    assert purse.refuse(0.25, "100 rows") is None
    assert purse.left == 0


def test_what_costs_nothing_needs_no_budget() -> None:
    purse = Purse(Budget(), 0.0)
    assert purse.refuse(0.0, "a query") is None
    assert purse.refuse(0.001, "a query") is not None


def test_what_open_orders_owe_is_not_there_to_be_spent() -> None:
    purse = Purse(Budget(dollars=1.0), owed=0.75)
    assert purse.refuse(0.5, "a dataset") == Drop("over budget.dollars of this turn")
    assert purse.refuse(0.25, "a dataset") is None


def test_who_owes_more_than_there_is_may_still_take_what_is_free() -> None:
    assert Purse(Budget(dollars=0.1), owed=5.0).refuse(0.0, "a query") is None


def test_three_dimes_are_thirty_cents() -> None:
    purse = Purse(Budget(dollars=0.3), 0.0)
    assert [purse.refuse(0.1, "a query") for _ in range(3)] == [None] * 3
    assert purse.refuse(0.1, "a query") is not None

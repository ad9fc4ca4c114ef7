"""Nothing is bought that the budget does not hold."""

import logging

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.base.settings import Budget
from openflywheel.collect._providers.purse import Purse


def test_what_is_spent_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    purse = Purse(Budget(dollars=1.0))
    assert purse.refuse(0.75, "300 rows") is None
    with caplog.at_level(logging.WARNING):
        assert purse.refuse(0.5, "200 rows") == Drop("over budget.dollars of this turn")
    assert "200 rows would cost $0.5000, and $0.2500 of wheel.budget.dollars is left" in caplog.text
    assert purse.refuse(0.25, "100 rows") is None
    assert purse.left == 0


def test_what_costs_nothing_needs_no_budget() -> None:
    purse = Purse(Budget())
    assert purse.refuse(0.0, "a query") is None
    assert purse.refuse(0.001, "a query") is not None

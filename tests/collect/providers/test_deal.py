"""A purchase of rows: refused or ordered once, paid at what it really was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from openflywheel.base.nouns import Drop, Paid, Record
from openflywheel.base.settings import Budget
from openflywheel.collect._providers.deal import Deal
from openflywheel.collect._providers.orders import Orders
from openflywheel.collect._providers.purse import Purse

ROWS = ({"t": "one"}, Drop("provider error: dead_page"), {"t": ""}, Drop("broken row"))


class Ready:
    """A provider that has every order at once."""

    def take(self, id: str) -> Sequence[Any]:
        return ROWS


def make(row: dict[str, Any], task: str) -> Record | Drop:
    return Record(text=row["t"], source=task) if row["t"] else Drop("no text")


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders({}, tmp_path / "book.json")


def deal(orders: Orders, dollars: float = 1.0, **given: Any) -> Deal:
    return Deal(
        job=Ready(),
        orders=orders,
        purse=Purse(Budget(dollars=dollars), 0.0),
        price=0.1,
        wait=0.0,
        make=make,
        **given,
    )


def test_rows_become_records_and_failed_ones_are_not_paid(orders: Orders) -> None:
    bought = deal(orders)
    assert list(bought.buy("wish", 4, "mood", lambda: "s_1")) == []
    assert orders.owed() == pytest.approx(0.4)
    [(order, things)] = bought.take()
    assert order.id == "s_1"
    assert orders.owed() == 0
    assert things[0] == Paid(pytest.approx(0.3), "brightdata")  # type: ignore[arg-type]
    [record] = [thing for thing in things if isinstance(thing, Record)]
    assert (record.text, record.source) == ("one", "mood")
    dropped = [thing.reason for thing in things if isinstance(thing, Drop)]
    assert dropped == ["provider error: dead_page", "no text", "broken row"]


def test_what_the_provider_says_that_it_took_is_what_counts(orders: Orders) -> None:
    bought = deal(orders, cost=lambda id: 0.07)
    list(bought.buy("wish", 4, "mood", lambda: "s_1"))
    assert [things[0] for _, things in bought.take()] == [Paid(0.07, "brightdata")]


def test_a_wish_is_ordered_once(orders: Orders) -> None:
    placed: list[str] = []

    def place() -> str:
        placed.append("s")
        return f"s_{len(placed)}"

    for _ in range(3):
        bought = deal(orders)
        list(bought.buy("wish", 4, "mood", place))
        list(bought.take())
    assert len(placed) == 1


def test_too_dear_a_wish_is_not_ordered_but_what_is_open_is_taken(orders: Orders) -> None:
    orders.place("earlier", "s_0", "mood")
    poor = deal(orders, dollars=0.3)
    assert list(poor.buy("wish", 4, "mood", lambda: "s_1")) == [Drop("over budget.dollars of this turn")]
    assert [order.id for order, _ in poor.take()] == ["s_0"]
    assert not orders.is_known("wish")

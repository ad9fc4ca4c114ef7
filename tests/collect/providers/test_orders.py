"""Orders survive what kills a process, and are taken once."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop
from openflywheel.collect._providers import orders as module
from openflywheel.collect._providers.orders import HELD, KEPT, Order, Orders, book_of, key_of, owed, take
from openflywheel.collect._providers.product import Refused


class Job:
    """A provider that has each order ready after so many looks."""

    def __init__(self, looks: int = 0, fails: Exception | None = None) -> None:
        self.left, self.fails, self.asked = looks, fails, 0

    def take(self, id: str) -> Sequence[str] | None:
        self.asked += 1
        if self.fails:
            raise self.fails
        self.left -= 1
        return None if self.left >= 0 else (f"row of {id}",)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.001)


def test_an_order_is_taken_once(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    orders = Orders(state, tmp_path / "book.json")
    orders.place("wish", "s_1", "route")
    assert orders.is_open("wish")
    [(order, found)] = take(Job(2), orders, 1.0)
    assert (order.id, order.about, found) == ("s_1", "route", ("row of s_1",))
    assert list(take(Job(), orders, 1.0)) == []
    assert orders.is_known("wish")
    assert not orders.is_open("wish")


def test_what_was_committed_is_not_taken_again_by_the_next_process(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    orders = Orders(state, tmp_path / "book.json")
    orders.place("wish", "s_1")
    list(take(Job(), orders, 1.0))
    again = Orders(state, tmp_path / "book.json")
    assert again.open() == []
    assert again.is_known("wish")


def test_a_killed_process_loses_its_state_but_no_order(tmp_path: Path) -> None:
    orders = Orders({}, tmp_path / "book.json")
    orders.place("wish", "s_1", "route")
    list(take(Job(), orders, 1.0))  # taken, and then killed before the commit
    after: dict[str, Any] = {}
    again = Orders(after, tmp_path / "book.json")
    assert again.is_open("wish")
    assert [(o.id, o.about) for o in again.open()] == [("s_1", "route")]
    assert [found for _, found in take(Job(), again, 1.0)] == [("row of s_1",)]
    assert after["open"] == []


def test_what_is_not_ready_stays_in_the_state(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    orders = Orders(state, tmp_path / "book.json")
    orders.place("wish", "s_1")
    job = Job(10**9)
    assert [found for _, found in take(job, orders, 0.02)] == [Drop("snapshot not ready")]
    assert job.asked > 1
    assert [o["id"] for o in state["open"]] == ["s_1"]


def test_without_waiting_it_is_looked_at_once(tmp_path: Path) -> None:
    orders = Orders({}, tmp_path / "book.json")
    orders.place("wish", "s_1")
    job = Job(1)
    assert [found for _, found in take(job, orders, 0.0)] == [Drop("snapshot not ready")]
    assert job.asked == 1


def test_one_wait_is_shared_by_all_orders(tmp_path: Path) -> None:
    orders = Orders({}, tmp_path / "book.json")
    for number in range(50):
        orders.place(f"wish {number}", f"s_{number}")
    assert {found for _, found in take(Job(10**9), orders, 0.02)} == {Drop("snapshot not ready")}


def test_a_provider_that_is_away_keeps_the_order_and_does_not_fail_the_source(tmp_path: Path) -> None:
    orders = Orders({}, tmp_path / "book.json")
    orders.place("wish", "s_1")
    assert [f for _, f in take(Job(fails=SourceFailed("away")), orders, 1.0)] == [
        Drop("snapshot not reachable")
    ]
    assert orders.is_open("wish")


def test_a_refusal_closes_the_order(tmp_path: Path) -> None:
    orders = Orders({}, tmp_path / "book.json")
    orders.place("wish", "s_1")
    found = [f for _, f in take(Job(fails=Refused("Snapshot is expired")), orders, 1.0)]
    assert found == [Drop("order failed at the provider")]
    assert orders.open() == []


def test_the_same_wish_may_be_ordered_again_after_it_was_taken(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    orders = Orders(state, tmp_path / "book.json")
    orders.place("wish", "s_1")
    list(take(Job(), orders, 1.0))
    orders.place("wish", "s_2")
    assert [o.id for o in Orders({"taken": state["taken"]}, tmp_path / "book.json").open()] == ["s_2"]


def test_book_and_state_are_bounded(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    orders = Orders(state, tmp_path / "book.json")
    for number in range(KEPT + 20):
        orders.close(Order(key=key_of(number), id=f"snap_{number:020}"))
    assert len(state["taken"]) == KEPT
    orders._write([Order(key="k", id=str(n)) for n in range(KEPT)])
    orders.place("wish", "s_1")
    assert len(orders._written()) == KEPT
    assert orders._written()[-1].id == "s_1"


def test_what_the_provider_has_forgotten_is_not_asked_for(tmp_path: Path) -> None:
    Orders({}, tmp_path / "book.json")._write([Order(key="k", id="old", at=0.0)])
    assert Orders({}, tmp_path / "book.json").open() == []


def test_the_same_wish_has_the_same_name() -> None:
    assert key_of("a", {"x": 1, "y": 2}) == key_of("a", {"y": 2, "x": 1})
    assert len({key_of("a"), key_of("a", 1), key_of("b"), key_of(["a"])}) == 4


def test_an_open_order_owes_its_price_until_it_is_taken(tmp_path: Path) -> None:
    orders = Orders({}, book_of(tmp_path, "a"))
    orders.place("one", "s_1", dollars=0.5)
    orders.place("two", "s_2", dollars=0.25)
    assert orders.owed() == 0.75
    orders.close(orders.open()[0])
    assert orders.owed() == 0.25


def test_what_others_ordered_is_owed_too_and_only_once(tmp_path: Path) -> None:
    mine, theirs = Orders({}, book_of(tmp_path, "a")), Orders({}, book_of(tmp_path, "b"))
    theirs.place("one", "s_1", dollars=0.5)
    mine.place("two", "s_2", dollars=0.25)
    assert mine.owed() == theirs.owed() == owed(tmp_path) == 0.75
    theirs.close(theirs.open()[0])
    assert mine.owed() == owed(tmp_path) == 0.25


def test_an_order_whose_passage_was_lost_owes_again(tmp_path: Path) -> None:
    orders = Orders({}, book_of(tmp_path, "a"))
    orders.place("one", "s_1", dollars=0.5)
    orders.close(orders.open()[0])
    assert Orders({}, book_of(tmp_path, "a")).owed() == 0.5


def test_a_use_that_is_no_more_does_not_hold_its_dollars_for_ever(tmp_path: Path) -> None:
    gone = Orders({}, book_of(tmp_path, "a"))
    gone._write([Order(key="k", id="s_1", dollars=0.5, at=time.time() - HELD - 1)])
    assert owed(tmp_path) == 0
    assert Orders({}, book_of(tmp_path, "a")).owed() == 0.5  # it would still take and pay it


def test_the_orders_of_one_turn_are_owed_in_the_next_by_the_state_alone(tmp_path: Path) -> None:
    state: dict[str, Any] = {}
    Orders(state, book_of(tmp_path, "a")).place("one", "s_1", dollars=0.5)
    book_of(tmp_path, "a").unlink()
    assert Orders(state, book_of(tmp_path, "a")).owed() == 0.5


def test_every_use_has_a_book_of_its_own(tmp_path: Path) -> None:
    assert book_of(tmp_path, "a", "x") == book_of(tmp_path, "a", "x")
    uses = [book_of(tmp_path, "a", "x"), book_of(tmp_path, "a", "y"), book_of(tmp_path, "b", "x")]
    assert len(set(uses)) == 3
    assert all(book.parent == tmp_path for book in uses)

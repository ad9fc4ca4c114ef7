"""What was ordered at a provider and is paid for: a restart takes it, and never orders it twice.

An order is known in two places. The `book`, a file of the source's own, has it before anything else happens:
it outlives kill -9. The source's `state` says which orders were taken, and is kept in one transaction with
their records: an order of the book that the state has not taken is open, and is taken again (which is free).

An open order owes its price, which is paid when it is taken. All books lie in one folder, so that what one
source has ordered is not left for another to spend.
"""

import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop
from openflywheel.collect._providers.product import Job, Refused

T = TypeVar("T")
KEPT = 200  # orders that are remembered: 10 KB of the 64 that a state may have
OLD = 30 * 86_400.0  # seconds; Bright Data keeps a snapshot for 30 days
HELD = 86_400.0  # seconds that another's order holds its dollars: it may be of a use that is no more
BOOK = ".orders.json"
PAUSE, LONGEST = 0.5, 10.0  # seconds between two looks; Bright Data asks for 10

log = logging.getLogger("openflywheel")


class Order(Struct, frozen=True, kw_only=True):
    """Something ordered: `key` names what, `id` is the provider's, `about` is the source's own note.

    `dollars` is what it takes at most; once it is `settled` they are paid, or will never be.
    """

    key: str
    id: str
    about: str = ""
    at: float = 0.0
    dollars: float = 0.0
    settled: bool = False


class Orders:
    """The orders of one source."""

    def __init__(self, state: dict[str, Any], book: Path) -> None:
        self._state, self._book = state, book
        self._open: list[Any] = state.setdefault("open", [])
        self._taken: list[str] = state.setdefault("taken", [])
        there = {_name(o) for o in self.open()} | set(self._taken)
        missing = (o for o in self._written() if _name(o) not in there and o.at > time.time() - OLD)
        self._open += map(msgspec.to_builtins, missing)

    def open(self) -> list[Order]:
        """Those that are paid for and not taken yet, oldest first."""
        return [msgspec.convert(o, Order) for o in self._open]

    def owed(self) -> float:
        """Dollars that open orders will take: these, and those of all other books of the folder."""
        return sum(o.dollars for o in self.open()) + owed(self._book.parent, besides=self._book)

    def is_open(self, key: str) -> bool:
        """Is such an order paid for and not taken yet?"""
        return any(o.key == key for o in self.open())

    def is_known(self, key: str) -> bool:
        """Was it ordered before, taken or not?"""
        return self.is_open(key) or any(name.startswith(f"{key} ") for name in self._taken)

    def place(self, key: str, id: str, about: str = "", dollars: float = 0.0) -> None:
        """Write an order down, on disk before this returns."""
        order = Order(key=key, id=id, about=about, at=time.time(), dollars=dollars)
        self._write([*self._written(), order][-KEPT:])
        self._open.append(msgspec.to_builtins(order))

    def close(self, order: Order) -> None:
        """An order was taken, or will never be ready."""
        self._open[:] = [o for o in self._open if o["id"] != order.id]
        self._taken[:] = [*self._taken, _name(order)][-KEPT:]
        settled = msgspec.structs.replace(order, settled=True)
        self._write([settled if o.id == order.id else o for o in self._written()])

    def _written(self) -> list[Order]:
        return _read(self._book) if self._book.exists() else []

    def _write(self, orders: Sequence[Order]) -> None:
        self._book.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._book.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.encode(orders))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._book)


def _name(order: Order) -> str:
    return f"{order.key} {order.id}"


def _read(book: Path) -> list[Order]:
    return msgspec.json.decode(book.read_bytes(), type=list[Order])


def book_of(workspace: Path, name: str, *place: Any) -> Path:
    """The book of one use of a source; `place` are the settings that say where and what it orders."""
    return workspace / f"{name}-{key_of(*place)}{BOOK}"


def owed(workspace: Path, besides: Path | None = None) -> float:
    """Dollars that the open orders of all books will take, but for one book's."""
    since = time.time() - HELD
    books = [_read(book) for book in workspace.glob(f"*{BOOK}") if book != besides]
    return sum(o.dollars for orders in books for o in orders if not o.settled and o.at > since)


def key_of(*what: Any) -> str:
    """The name of an order: the same for the same wish."""
    return hashlib.sha256(msgspec.json.encode(what, order="deterministic")).hexdigest()[:16]


def take(job: Job[T], orders: Orders, wait: float) -> Iterator[tuple[Order, Sequence[T] | Drop]]:
    """What is ready of all open orders within `wait` seconds; a Drop for what is not, which stays open.

    A provider that cannot be reached now does not fail the source: its state would be lost with the failure.
    """
    deadline = time.monotonic() + wait
    for order in orders.open():
        try:
            found = _until(job, order.id, deadline)
        except Refused as error:
            log.warning("collect: %s", error)
            orders.close(order)
            yield order, Drop("order failed at the provider")
        except SourceFailed as error:
            log.warning("collect: %s; what was ordered is taken the next time", error)
            yield order, Drop("snapshot not reachable")
        else:
            if found is not None:
                orders.close(order)
            yield order, Drop("snapshot not ready") if found is None else found


def _until(job: Job[T], id: str, deadline: float) -> Sequence[T] | None:
    """Look again and again, more and more seldom, until it is ready or it is too late."""
    pause = PAUSE
    while (found := job.take(id)) is None and time.monotonic() + pause < deadline:
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST)
    return found

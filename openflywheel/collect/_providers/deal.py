"""A purchase of rows: refused, or ordered once; then taken, paid and made into Records."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from openflywheel.base.nouns import Drop, Paid, Record
from openflywheel.collect._providers.orders import Order, Orders, take
from openflywheel.collect._providers.product import Job
from openflywheel.collect._providers.purse import Purse
from openflywheel.collect._providers.rows import Row

ERROR = "provider error"  # how a Drop of an error row begins: those are not billed


class Deal(Struct, frozen=True, kw_only=True):
    """`make` turns a row, bought for a task, into a Record; `cost` tells what an order took, if known."""

    job: Job[Row | Drop]
    orders: Orders
    purse: Purse
    price: float
    wait: float
    make: Callable[[Row, str], Record | Drop]
    cost: Callable[[str], float | None] = lambda _: None

    def buy(self, wish: str, most: int, task: str, order: Callable[[], str]) -> Iterator[Drop]:
        """Order at most so many rows, if it was not done before and there is money for it."""
        if self.orders.is_known(wish):
            return
        dollars = most * self.price
        if refused := self.purse.refuse(dollars, f"{most:,} rows at brightdata"):
            yield refused
        else:
            self.orders.place(wish, order(), task, dollars)

    def take(self) -> Iterator[tuple[Order, list[Record | Drop | Paid]]]:
        """What came of each order that is open: its Records, drops and price."""
        for order, found in take(self.job, self.orders, self.wait):
            yield (
                order,
                [found] if isinstance(found, Drop) else [self._paid(order, found), *self._made(order, found)],
            )

    def _paid(self, order: Order, rows: Sequence[Row | Drop]) -> Paid:
        told = self.cost(order.id)
        failed = sum(isinstance(row, Drop) and row.reason.startswith(ERROR) for row in rows)
        return Paid((len(rows) - failed) * self.price if told is None else told, "brightdata")

    def _made(self, order: Order, rows: Sequence[Row | Drop]) -> Iterator[Record | Drop]:
        for row in rows:
            yield row if isinstance(row, Drop) else self.make(row, order.about)

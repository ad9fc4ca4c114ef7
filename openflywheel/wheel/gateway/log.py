"""The journal for an event loop: a request waits for its row without holding up the others."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Sequence

from openflywheel.base.errors import StoreError
from openflywheel.base.keys import Key
from openflywheel.serve._gateway.kept import Finished
from openflywheel.serve._limits import Budgets
from openflywheel.store import Store
from openflywheel.store.group_commit import Statement
from openflywheel.store.keys import Keys

LOOK_EVERY = 1.0  # seconds between two looks at the disk


class DurableLog:
    """Keeps what was answered, and says beforehand when it can't.

    `spare` is the number of bytes of disk below which no request is taken any more. After a write has failed
    none is taken until a small one succeeds.
    """

    def __init__(self, store: Store, budgets: Budgets, spare: int) -> None:
        self._store, self._budgets, self._spare = store, budgets, spare
        self._loop = asyncio.get_running_loop()
        self._told: deque[tuple[asyncio.Future[None], StoreError | None]] = deque()
        self._trouble: StoreError | None = None
        self._failed = False
        self.look()

    async def keep(self, finished: Finished, key: Key | None) -> None:
        """Return once a request's nouns are kept, with what it cost. Raises StoreError."""
        spent = _accounts(finished, key)
        done = self._submit(finished, [Keys.spending(name, *what) for name, *what in spent])
        try:
            await done
        except StoreError as error:
            self._failed, self._trouble = True, error
            raise
        for name, amount, at in spent:
            self._budgets.add(name, amount, at)

    def _submit(self, finished: Finished | None, statements: Sequence[Statement]) -> asyncio.Future[None]:
        """Raises StoreError at once for what can't be kept at all, which says nothing about the disk."""
        done: asyncio.Future[None] = self._loop.create_future()
        nouns = [finished.exchange, finished.call] if finished else []
        self._store.journal.submit(nouns, statements, lambda error: self._tell(done, error))
        return done

    def _tell(self, done: "asyncio.Future[None]", error: StoreError | None) -> None:
        """Called by the writer's thread; one wake-up of the loop serves a whole batch.

        Appended before it is counted: the loop may take the last one at any moment, and must then be woken.
        """
        self._told.append((done, error))
        if len(self._told) == 1:
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        while self._told:
            done, error = self._told.popleft()
            if done.cancelled():
                continue
            if error:
                done.set_exception(error)
            else:
                done.set_result(None)

    def check(self) -> None:
        """Raises StoreError while nothing can be kept."""
        if self._trouble:
            raise StoreError(f"no request is taken: {self._trouble}")

    def look(self) -> None:
        """See how much disk is left."""
        disk = os.statvfs(self._store.path)
        left = disk.f_bavail * disk.f_frsize
        if left < self._spare:
            self._trouble = StoreError(f"{left:,} bytes of disk are left, fewer than {self._spare:,}")
        elif not self._failed:
            self._trouble = None

    async def watch(self) -> None:
        """Look again and again; after a failure try whether writing works again."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if self._failed:
                await self._try_again()
            self.look()

    async def _try_again(self) -> None:
        try:
            await self._submit(None, [Keys.spending("", 0.0, time.time())])
        except StoreError as error:
            self._trouble = error
        else:
            self._failed = False


def _accounts(finished: Finished, key: Key | None) -> list[tuple[str, float, float]]:
    """(name, amount, moment) of the budgets that a request draws on."""
    exchange = finished.exchange
    if key is None or not exchange.cost:
        return []
    names = [key.account()] if key.budget else []
    names += [key.account(exchange.subject)] if key.subject_budget else []
    return [(name, exchange.cost, exchange.at) for name in names]

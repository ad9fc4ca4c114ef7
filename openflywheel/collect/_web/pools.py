"""Kept connections of many hosts, as many as are worth keeping."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from openflywheel.base.instruments.wire import Pool
from openflywheel.collect._web.address import Target

MOST = 128  # hosts


class Pools:
    """A pool for each origin; those used longest ago are closed, but none that is in use."""

    def __init__(self, opened: Callable[[Target], Pool], most: int = MOST) -> None:
        self._opened, self._most = opened, most
        self._pools: dict[str, Pool] = {}  # those used longest ago come first
        self._users: Counter[str] = Counter()

    @contextmanager
    def using(self, target: Target) -> Iterator[Pool]:
        """The pool of a target's origin; it is not closed within the block."""
        origin = target.origin
        pool = self._pools.pop(origin) if origin in self._pools else self._opened(target)
        self._pools[origin] = pool
        self._users[origin] += 1
        try:
            yield pool
        finally:
            self._users[origin] -= 1
            self._shrink()

    def _shrink(self) -> None:
        spare = len(self._pools) - self._most
        if spare > 0:
            idle = [origin for origin in self._pools if not self._users[origin]]
            for origin in idle[:spare]:
                self._pools.pop(origin).close()
                del self._users[origin]

    def close(self) -> None:
        """Drop every connection."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

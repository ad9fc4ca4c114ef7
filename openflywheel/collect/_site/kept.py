"""What is asked of a site once a day: its robots.txt, its other signals."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from openflywheel.collect._site.urls import origin
from openflywheel.collect._web.response import Response

T = TypeVar("T")
Fetch = Callable[[str], Awaitable[Response]]
Clock = Callable[[], float]

FRESH = 24 * 3600.0  # seconds; RFC 9309 section 2.4: a robots.txt is no longer used than 24 hours
AGAIN = 600.0  # seconds until what could not be read is asked for again
MOST_SITES = 10_000


class PerOrigin(Generic[T]):
    """One answer an origin, asked for once however many wait for it; the longest unused go first.

    `read` gets an origin ("https://example.com"), `failed` says of its answer whether to ask again soon. To
    be used from one event loop.
    """

    def __init__(
        self,
        read: Callable[[str], Coroutine[Any, Any, T]],
        failed: Callable[[T], bool],
        clock: Clock = time.monotonic,
    ) -> None:
        self._read, self._failed, self._clock = read, failed, clock
        self._kept: OrderedDict[str, tuple[asyncio.Task[T], float]] = OrderedDict()

    async def of(self, url: str) -> T:
        """The answer for a canonical URL's origin. Raises what `read` raises, to all who wait."""
        place = origin(url)
        kept = self._kept.pop(place, None)
        if kept is None or self._stale(*kept):
            kept = asyncio.ensure_future(self._read(place)), self._clock()
        self._kept[place] = kept
        while len(self._kept) > MOST_SITES:
            self._kept.popitem(last=False)
        return await asyncio.shield(kept[0])  # one who stops waiting does not take it from the others

    def _stale(self, task: "asyncio.Task[T]", asked: float) -> bool:
        if not task.done():
            return False
        broken = task.cancelled() or task.exception() is not None
        return broken or self._clock() - asked > (AGAIN if self._failed(task.result()) else FRESH)

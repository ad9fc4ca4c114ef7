"""Politeness of a crawl: one request at a time to a host of others, and some seconds between two."""

import time
from collections import Counter
from collections.abc import Callable

AT_ONCE = 16  # requests in flight, to all hosts together
AHEAD = 2 * AT_ONCE  # URLs taken from the frontier: half of them wait, so that no request waits for SQLite


class Pace:
    """Which hosts can be asked now. `owns`: a host of one's own ("host:port") is asked without delay."""

    def __init__(self, owns: Callable[[str], bool], delay: float) -> None:
        self._owns, self._delay = owns, delay
        self._delays: dict[int, float] = {}
        self._running = Counter[int]()
        self._next: dict[int, float] = {}

    @property
    def resting(self) -> int:
        """How many hosts can take no request now."""
        now = time.monotonic()
        self._next = {host: at for host, at in self._next.items() if at > now or self._running[host]}
        return len(self._next)

    @property
    def wait(self) -> float | None:
        """Seconds until a host that rests can be asked again; None when none rests."""
        return max(min(self._next.values()) - time.monotonic(), 0.0) if self.resting else None

    def room(self, host: int, name: str) -> int:
        """How many more requests a host can take now."""
        if host not in self._delays:
            self._delays[host] = 0.0 if self._owns(name) else self._delay
        if not self._delays[host]:
            return AHEAD
        return 0 if self._running[host] or self._next.get(host, 0.0) > time.monotonic() else 1

    def asks(self, host: int) -> None:
        """A request goes to a host."""
        self._running[host] += 1
        if delay := self._delays[host]:
            self._next[host] = time.monotonic() + delay

    def answered(self, host: int, wanted: float | None) -> None:
        """A request is over; `wanted` is the Crawl-delay of the host's robots.txt, in seconds."""
        self._running[host] -= 1
        if not self._running[host]:
            del self._running[host]
        if wanted and wanted > self._delays[host]:
            self._delays[host] = wanted
            self._next[host] = time.monotonic() + wanted

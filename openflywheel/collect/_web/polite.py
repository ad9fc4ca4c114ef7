"""Politeness: requests to one host come one after another, some time apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 2  # requests to one host that run at the same time, when it answers slower than `delay`
FEW = 1_000  # hosts; beyond them it is worth looking for those to forget


class Hosts:
    """Whose turn it is at each host. `delay`: seconds from the start of one request to that of the next."""

    def __init__(self, delay: float, at_once: int = AT_ONCE) -> None:
        self._delay, self._at_once = delay, at_once
        self._hosts: dict[str, _Host] = {}
        self._full = FEW

    @asynccontextmanager
    async def turn(self, host: str, delay: float | None = None) -> AsyncIterator[None]:
        """Wait for one's turn at a host, in the order of asking. `delay` overrides the usual one."""
        known = self._hosts.setdefault(host, _Host(self._at_once))
        known.wanted += 1
        try:
            async with known.places:
                await known.start(self._delay if delay is None else delay)
                yield
        finally:
            known.wanted -= 1
            self._forget()

    def _forget(self) -> None:
        """A crawl meets many hosts: those that nobody wants and may be asked at once need no memory."""
        if len(self._hosts) > self._full:
            now = asyncio.get_running_loop().time()
            self._hosts = {name: host for name, host in self._hosts.items() if host.wanted or host.next > now}
            self._full = max(FEW, 2 * len(self._hosts))


class _Host:
    def __init__(self, at_once: int) -> None:
        self.places, self._start = asyncio.Semaphore(at_once), asyncio.Lock()
        self.next = 0.0
        self.wanted = 0

    async def start(self, delay: float) -> None:
        """Wait until the host may be asked again; whoever gives up meanwhile takes nobody's time."""
        now = asyncio.get_running_loop().time
        async with self._start:
            await asyncio.sleep(max(self.next - now(), 0.0))
            self.next = now() + delay

"""A fetch from the first request to the last byte: redirects followed, failures that pass waited out."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from openflywheel.collect._web import hop, redirect, retry
from openflywheel.collect._web.address import Guard
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.pools import Pools
from openflywheel.collect._web.redirect import Asked
from openflywheel.collect._web.response import Response

Redirect = Callable[[str], Awaitable[None]]
Accept = Callable[[int, dict[str, str]], None]


class Later(Exception):
    """The same is to be asked again, in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Fetching:
    """One fetch. `most`: bytes that the body may have; the two calls are described at Web.fetch."""

    def __init__(
        self, guard: Guard, pools: Pools, *, most: int, redirect: Redirect | None, accept: Accept | None
    ) -> None:
        self._guard, self._pools = guard, pools
        self._most, self._redirect, self._accept = most, redirect, accept
        self._waits = retry.waits()

    async def run(self, asked: Asked) -> Response:
        """The reply that is no redirect. Raises FetchFailed."""
        seen = {_named(asked)}
        while True:
            response = await self._patiently(asked)
            if not _moved(response):
                return response
            asked = redirect.follow(asked, response.status, response.headers["location"], self._guard)
            url = asked.target.url
            if _named(asked) in seen:
                raise FetchFailed("redirect loop", url)
            if len(seen) > redirect.MOST:
                raise FetchFailed("too many redirects", url, f"more than {redirect.MOST}")
            if self._redirect:
                await self._redirect(url)
            seen.add(_named(asked))

    async def _patiently(self, asked: Asked) -> Response:
        """A URL's reply, after further tries where they may help: three in a fetch."""
        while True:
            try:
                return await self._once(asked)
            except Later as later:
                wait = later.seconds
            except FetchFailed as failed:
                passing = failed.reason in retry.REASONS and asked.repeatable
                again = next(self._waits, None) if passing else None
                if again is None:
                    raise
                wait = again
            await asyncio.sleep(wait)

    async def _once(self, asked: Asked) -> Response:
        start = time.monotonic()
        with self._pools.using(asked.target) as pool:
            reply = await hop.head(pool, asked)
            try:
                response = Response(
                    url=asked.target.url,
                    status=reply.status,
                    headers=hop.fields(reply),
                    body=b"",
                    seconds=0.0,
                )
                wait = self._wait(asked, response)
                if wait is not None or _moved(response):
                    await hop.skip(reply, asked)
                else:
                    if self._accept:
                        self._accept(reply.status, response.headers)
                    response.body = await hop.read(reply, asked, self._most)
            finally:
                reply.close()
        if wait is not None:
            raise Later(wait)
        response.seconds = time.monotonic() - start
        return response

    def _wait(self, asked: Asked, response: Response) -> float | None:
        """Seconds until another try; None when there is none to be made."""
        if not retry.again(response.status, repeatable=asked.repeatable):
            return None
        said = retry.retry_after(response.headers.get("retry-after", ""), time.time())
        wait = next(self._waits, None) if said <= retry.LONGEST else None
        return None if wait is None else max(wait, said)


def _moved(response: Response) -> bool:
    return response.status in redirect.STATUSES and "location" in response.headers


def _named(asked: Asked) -> tuple[str, str]:
    return asked.method, asked.target.url

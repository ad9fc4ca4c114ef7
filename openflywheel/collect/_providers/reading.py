"""Pages that a search found: fetched, if their sites let us, and read."""

import asyncio
from collections.abc import Iterator, Sequence

from openflywheel.base.nouns import Drop
from openflywheel.collect._site.page import Page, is_html, read
from openflywheel.collect._site.robots import Robots, RobotsBook
from openflywheel.collect._site.signals import Site, SiteSignals, opted_out
from openflywheel.collect._site.urls import canonical, host
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

ROBOTS = "refused by robots.txt"
TYPE = "content type not wanted"

Fetched = tuple[Response, Robots, Site]


def read_pages(urls: Sequence[str], web: Web) -> Iterator[tuple[Response, Page] | Drop]:
    """The pages in the order of their URLs; a Drop for each that may not, or cannot, be had."""
    for url, found in zip(urls, web.run(_Fetcher(web).all(urls)), strict=True):
        yield found if isinstance(found, Drop) else _read(url, *found)


def _read(url: str, response: Response, robots: Robots, site: Site) -> tuple[Response, Page] | Drop:
    if not response.ok:
        return Drop(f"HTTP {response.status}")
    if not is_html(response.mime, response.body):
        return Drop(TYPE)
    page = read(response.body, canonical(response.url) or url, response.charset)
    if reason := opted_out(page.url, response.headers, page, robots, site):
        return Drop(reason)
    if page.needs_script:
        return Drop("needs a browser")
    return (response, page) if page.text else Drop("no text")


class _Fetcher:
    """Lives on the web's event loop."""

    def __init__(self, web: Web) -> None:
        self._web, self._book, self._signals = web, RobotsBook(web.fetch, web.agent), SiteSignals(web.fetch)

    async def all(self, urls: Sequence[str]) -> list[Fetched | Drop]:
        return await asyncio.gather(*map(self._one, urls))

    async def _one(self, url: str) -> Fetched | Drop:
        try:
            robots = await self._book.robots(url)
            if not robots.allowed(self._web.agent, url):
                return Drop(ROBOTS)
            site = await self._signals.at(url)
            async with self._web.hosts.turn(host(url), robots.delay(self._web.agent)):
                return await self._web.fetch(url, redirect=self._moved), robots, site
        except FetchFailed as error:
            return Drop(error.reason)

    async def _moved(self, url: str) -> None:
        """A redirect's target is asked for like any page. Raises FetchFailed."""
        if not await self._book.allowed(canonical(url) or url):
            raise FetchFailed(ROBOTS, url)

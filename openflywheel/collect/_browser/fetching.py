"""A crawl's fetch that renders the pages which need it; each document is fetched once all the same."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import nullcontext

import msgspec

from openflywheel.collect._browser.chromium import Chromium
from openflywheel.collect._browser.rendering import render
from openflywheel.collect._browser.tally import Tally, helps
from openflywheel.collect._site.page import Page, read
from openflywheel.collect._site.robots import RobotsBook
from openflywheel.collect._site.urls import canonical, origin
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

HTML = ("text/html", "application/xhtml+xml", "")
SHARED = 32_000_000  # bytes of scripts kept for the next pages, which mostly have the same
ROBOTS = "refused by robots.txt"


class Rendered:
    """Fetches pages. Those that ask for a browser, or whose section has profited from one, are rendered."""

    def __init__(self, web: Web, chromium: Chromium, tally: Tally, *, obey: bool) -> None:
        self._web, self._chromium, self._tally, self._obey = web, chromium, tally, obey
        self._book = RobotsBook(web.fetch, web.agent)
        self._trial = asyncio.Lock()
        self._scripts: OrderedDict[str, Response] = OrderedDict()

    async def fetch(self, url: str) -> Response:
        """The page, rendered if that brings more text. Raises FetchFailed."""
        response = await self._web.fetch(url, redirect=self._allow, accept=_accept)
        if not response.ok or response.mime not in HTML:
            return response
        place = canonical(response.url) or url
        page = read(response.body, place, response.charset)
        repeats = self._tally.repeats(place, page.text) and b"<script" in response.body
        asks = bool(page.needs_script) or repeats
        async with self._trial if asks and self._tally.unsure(place) else nullcontext():
            return (
                await self._tried(response, place, page, asks) if self._tally.wants(place, asks) else response
            )

    async def _tried(self, response: Response, place: str, page: Page, asks: bool) -> Response:
        """The rendered page if it has more text. One that asked for a browser must be rendered."""
        try:
            body = await render(self._chromium, response, self._load)
        except FetchFailed:
            self._tally.learn(place, asks, helped=False)
            if asks:
                raise
            return response
        helped = helps(page.text, read(body, place, "utf-8").text)
        self._tally.learn(place, asks, helped)
        if not helped:
            return response
        headers = response.headers | {"content-type": "text/html; charset=utf-8"}
        return msgspec.structs.replace(response, body=body, headers=headers)

    async def _allow(self, url: str) -> None:
        """Raises FetchFailed for what robots.txt refuses."""
        if self._obey and not await self._book.allowed(canonical(url) or url):
            raise FetchFailed(ROBOTS, url)

    async def _load(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, most: int
    ) -> Response:
        """What a page in the browser asks for; scripts are fetched once. Two requests to a host at a time."""
        script = method == "GET" and headers.get("accept", "*/*") == "*/*" and url in self._scripts
        if script:
            self._scripts.move_to_end(url)
            return self._scripts[url]
        await self._allow(url)
        async with self._web.hosts.turn(origin(url), 0.0):
            response = await self._web.fetch(
                url, method=method, headers=headers, body=body, most=most, redirect=self._allow
            )
        if method == "GET" and response.ok and "javascript" in response.mime:
            self._keep(url, response)
        return response

    def _keep(self, url: str, response: Response) -> None:
        self._scripts[url] = response
        while sum(len(r.body) for r in self._scripts.values()) > SHARED:
            self._scripts.popitem(last=False)


def _accept(status: int, headers: Mapping[str, str]) -> None:
    """What is no page is not read. Raises FetchFailed."""
    mime = headers.get("content-type", "").partition(";")[0].strip().lower()
    if status < 300 and mime not in HTML:
        raise FetchFailed("content type not wanted", "", mime)

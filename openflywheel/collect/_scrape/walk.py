"""The pages of one scrape: those that are named and those they lead to, each asked for once, politely."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Drop
from openflywheel.collect._site.markup import is_html
from openflywheel.collect._site.robots import Robots, RobotsBook
from openflywheel.collect._site.signals import Site, SiteSignals
from openflywheel.collect._site.urls import canonical, origin, trap
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

MOST_BYTES = 3_000_000  # of a page
MOST_DELAY = 60.0  # seconds that a Crawl-delay may ask for
MOST_KEPT, MOST_TAG = 300, 100  # pages remembered, characters of an ETag: together under 64 KB of state
UNCHANGED = "unchanged"
ROBOTS = "refused by robots.txt"


class Came(Struct, frozen=True):
    """A page that came; one that has not been `renewed` is of use for its links alone."""

    response: Response
    robots: Robots
    site: Site
    renewed: bool


class Kept:
    """What a source knows of the pages that it read: their ETags and digests, the newest `MOST_KEPT`.

    `mark` names what is read for: with other selectors, or for another task, a page is new again.
    """

    def __init__(self, state: dict[str, Any], mark: str) -> None:
        self._pages: dict[str, list[str]] = state.setdefault("pages", {})
        self._mark = mark

    def conditions(self, url: str) -> dict[str, str]:
        """Headers that ask for the page only if it has changed."""
        etag, modified, _ = self._pages.get(self._name(url), ("", "", ""))
        said = {"if-none-match": etag, "if-modified-since": modified}
        return {name: value for name, value in said.items() if value}

    def renewed(self, url: str, response: Response) -> bool:
        """Is the content another than the last time? It is remembered."""
        name, digest = self._name(url), content_id(response.body)[:16]
        before = self._pages.pop(name, ["", "", ""])
        said = (response.headers.get(header, "") for header in ("etag", "last-modified"))
        self._pages[name] = [*(tag if len(tag) <= MOST_TAG else "" for tag in said), digest]
        while len(self._pages) > MOST_KEPT:
            del self._pages[next(iter(self._pages))]
        return before[2] != digest

    def _name(self, url: str) -> str:
        return content_id(self._mark, url)[:16]


class Walk:
    """Fetches page after page, at most `most`; `lead` adds to what waits while one goes through it.

    Links keep to the hosts of the first pages; without any to follow, pages are asked for only if they have
    changed. `reached` counts the answers; `failed` is the newest failure.
    """

    def __init__(self, web: Web, urls: Sequence[str], most: int, kept: Kept, *, follows: bool) -> None:
        self._web, self._kept = web, kept
        self._follows = follows
        self._book, self._signals = RobotsBook(web.fetch, web.agent), SiteSignals(web.fetch)
        self._waiting, self._left = deque(urls), most
        self._seen, self._origins = set(urls), {origin(url) for url in urls}
        self.reached = 0
        self.failed: FetchFailed | None = None

    def __iter__(self) -> Iterator[Came | Drop]:
        while self._waiting:
            url = self._waiting.popleft()
            if self._left <= 0:
                yield Drop("the budget of pages is spent")
                continue
            self._left -= 1
            try:
                came = self._judged(url, *self._web.run(self._fetch(url)))
            except FetchFailed as error:
                self.failed = error
                yield Drop(error.reason)
                continue
            yield came

    def lead(self, urls: Iterable[str]) -> Iterator[Drop]:
        """Put further pages at the end of the line; a Drop for each that is not followed."""
        for url in urls:
            if url in self._seen:
                continue
            self._seen.add(url)
            if origin(url) not in self._origins:
                yield Drop("a link to another host")
            elif reason := trap(url):
                yield Drop(reason)
            else:
                self._waiting.append(url)

    def _judged(self, url: str, response: Response, robots: Robots, site: Site) -> Came | Drop:
        """What of an answer is worth reading."""
        self.reached += response.status < 400
        if response.status >= 400:
            self.failed = FetchFailed(f"HTTP {response.status}", url)
            return Drop(f"HTTP {response.status}")
        if response.status == 304:
            return Drop(UNCHANGED)
        if not is_html(response.mime, response.body):
            return Drop("content type not wanted")
        return Came(response, robots, site, self._kept.renewed(url, response))

    async def _fetch(self, url: str) -> tuple[Response, Robots, Site]:
        robots = await self._book.robots(url)
        await self._obey(url)
        delay = robots.delay(self._web.agent) or 0.0
        if delay > MOST_DELAY:
            raise FetchFailed("Crawl-delay too long", url, f"{delay:g} s")
        usual = 0.0 if self._web.owns(url) else self._web.settings.delay
        async with self._web.hosts.turn(origin(url), max(delay, usual)):
            response = await self._web.fetch(
                url,
                headers={} if self._follows else self._kept.conditions(url),
                most=MOST_BYTES,
                redirect=self._obey,
            )
        return response, robots, await self._signals.at(canonical(response.url) or url)

    async def _obey(self, url: str) -> None:
        """Raises FetchFailed for what robots.txt refuses."""
        target = canonical(url) or url
        if not await self._book.allowed(target):
            raise FetchFailed(ROBOTS, url, await self._book.why(target))

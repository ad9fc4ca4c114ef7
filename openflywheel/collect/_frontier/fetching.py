"""The half of a crawl that lives on the web's event loop: requests in flight, robots.txt before each."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from msgspec import Struct

from openflywheel.base.nouns import Drop
from openflywheel.collect._frontier.pace import AT_ONCE
from openflywheel.collect._frontier.plan import NOT_INCLUDED, Plan
from openflywheel.collect._frontier.rows import Job
from openflywheel.collect._site.robots import Robots, RobotsBook
from openflywheel.collect._site.signals import Site, SiteSignals
from openflywheel.collect._site.sitemap import Entry, urls
from openflywheel.collect._site.urls import canonical, origin
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

Fetch = Callable[[str], Awaitable[Response]]

PAGES = frozenset({"", "text/html", "application/xhtml+xml", "application/octet-stream"})  # see is_html
MOST_LISTED = 50_000  # URLs of sitemaps that are queued: what one file may hold
ROBOTS = "refused by robots.txt"
UNREAD = "robots.txt cannot be read"  # RFC 9309 section 2.3.1.4: all is refused, for the time being
WRONG_TYPE = "content type not wanted"
BROKEN = "could not be fetched"

log = logging.getLogger("openflywheel")


class Outcome(Struct, frozen=True):
    """What came of a job: a response with what its site reserves, or the reason why there is none."""

    job: Job
    response: Response | None = None
    reason: str = ""
    robots: Robots | None = None
    site: Site | None = None
    delay: float | None = None  # Crawl-delay


class Fetching:
    """Requests of one crawl, at most `AT_ONCE` in flight.

    `fetch` may stand in for the plain one (rendered pages). It gets the URL alone, so its pages are never
    asked for conditionally, and where it ended up is judged afterwards.
    """

    def __init__(self, web: Web, plan: Plan, fetch: Fetch | None = None) -> None:
        self._web, self._plan, self._fetch = web, plan, fetch
        self._robots, self._signals = RobotsBook(web.fetch, web.agent), SiteSignals(web.fetch)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()
        self._done: list[Outcome] = []
        self._wanted, self._enough = 0, asyncio.Event()

    async def more(self, jobs: Sequence[Job], want: int, wait: float) -> list[Outcome]:
        """Start jobs; returns what is done once `want` are, or all are, or `wait` seconds have passed."""
        for job in jobs:
            task = asyncio.create_task(self._one(job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        self._wanted = min(want, len(self._done) + len(self._running))
        if len(self._done) < self._wanted:
            self._enough.clear()
            await asyncio.wait((asyncio.ensure_future(self._enough.wait()),), timeout=wait)
        done, self._done = self._done, []
        return done

    async def stop(self) -> None:
        """Give up what is in flight; it stays in the frontier's queue."""
        for task in (running := list(self._running)):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def listed(self, url: str) -> list[Entry | Drop]:
        """What the sitemaps of a URL's site list, `MOST_LISTED` at most; a Drop for what cannot be read."""
        named = (await self._robots.robots(url)).sitemaps if self._plan.obey else ()
        found = list[Entry | Drop]()
        async for entry in urls(self._web.fetch, named or (f"{origin(url)}/sitemap.xml",), url):
            if named or not isinstance(entry, Drop):  # nobody said that there is one
                found.append(entry)
            if len(found) >= MOST_LISTED:
                break
        return found

    async def _one(self, job: Job) -> None:
        try:
            outcome = await self._try(job)
        except FetchFailed as error:
            outcome = Outcome(job, reason=error.reason)
        except Exception:  # one page that nobody foresaw must not end the crawl
            log.exception("crawl: %s", job.url)
            outcome = Outcome(job, reason=BROKEN)
        self._done.append(outcome)
        if len(self._done) >= self._wanted:
            self._enough.set()

    async def _try(self, job: Job) -> Outcome:
        if not self._plan.obey:
            return Outcome(job, await self._response(job))
        robots = await self._robots.robots(job.url)
        delay = robots.delay(self._web.agent)
        if not robots.allowed(self._web.agent, job.url):
            return Outcome(job, reason=UNREAD if robots.unread else ROBOTS, delay=delay)
        site = await self._signals.at(job.url)
        return Outcome(job, await self._response(job), robots=robots, site=site, delay=delay)

    async def _response(self, job: Job) -> Response:
        async with self._slots:
            return await (self._fetch(job.url) if self._fetch else self._plain(job))

    async def _plain(self, job: Job) -> Response:
        said = {"if-none-match": job.etag, "if-modified-since": job.modified}
        return await self._web.fetch(
            job.url,
            headers={name: value for name, value in said.items() if value},
            redirect=partial(self._moved, job),
            accept=partial(self._accept, job.url),
        )

    async def _moved(self, job: Job, url: str) -> None:
        """A redirect's target is judged like a link. Raises FetchFailed."""
        target = canonical(url)
        reason = self._plan.refuses(target) if target else "redirect not allowed"
        if reason and not (reason == NOT_INCLUDED and not job.depth):
            raise FetchFailed(reason, url)
        if self._plan.obey and not await self._robots.allowed(target or url):
            raise FetchFailed(ROBOTS, url)

    def _accept(self, url: str, status: int, headers: dict[str, str]) -> None:
        """What is no page is not read. Raises FetchFailed."""
        mime = headers.get("content-type", "").partition(";")[0].strip().lower()
        if status < 300 and not self._plan.media and mime not in PAGES:
            raise FetchFailed(WRONG_TYPE, url, mime)

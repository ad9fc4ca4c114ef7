"""What becomes of a fetched URL: a page that is kept, a drop with its reason, or another try later."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator

import msgspec

from openflywheel.base.errors import FlywheelError
from openflywheel.base.nouns import Drop, Record
from openflywheel.collect._frontier.endless import Endless
from openflywheel.collect._frontier.fetching import UNREAD, WRONG_TYPE, Outcome
from openflywheel.collect._frontier.frontier import Frontier
from openflywheel.collect._frontier.links import Links, host_of
from openflywheel.collect._frontier.plan import NOT_INCLUDED, Plan
from openflywheel.collect._frontier.rows import Job, Said, Seen, number_of
from openflywheel.collect._frontier.tables import FETCHED
from openflywheel.collect._site.page import Page, is_html, read
from openflywheel.collect._site.signals import directives, opted_out
from openflywheel.collect._site.urls import canonical, near
from openflywheel.collect._value.aim import Aim
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.retry import retry_after

Given = tuple[int, Record] | Drop
Make = Callable[[Response, Page], Record]

REDIRECTED = "redirected"
SAME = "same content as another page"
POISONED = "page could not be read"
NO_TEXT = "no text"
SCRIPT = "needs a browser"
MOST_TRIES = 3  # visits to a host that refuses; each of them is several requests of the web's own
REFUSED = frozenset({"HTTP 429", "HTTP 503", "no connection", "broken off", UNREAD})
FATAL = (sqlite3.Error, OSError, FlywheelError)  # a full disk, a missing encoder: no fault of the page
SHORT = 200  # characters: below, pages of the same text may still be different pages

log = logging.getLogger("openflywheel")


class Taking:
    """Settles the outcomes of one crawl. `make` turns a page into its Record, `plain` ones saw no browser."""

    def __init__(
        self,
        plan: Plan,
        frontier: Frontier,
        links: Links,
        endless: Endless,
        aim: Aim,
        make: Make,
        *,
        plain: bool,
    ) -> None:
        self._plan, self._frontier, self._links, self._endless = plan, frontier, links, endless
        self._aim, self._make, self._plain = aim, make, plain
        self.pages = self.bytes = self.errors = 0
        self.why = ""  # the newest reason for which nothing came

    def settle(self, outcome: Outcome) -> Iterator[Given]:
        """Write what came of a job into the frontier; gives what goes out after the next commit."""
        job, response = outcome.job, outcome.response
        if response is None:
            yield from self._failed(job, outcome.reason)
            return
        if response.status in (429, 503):
            wait = retry_after(response.headers.get("retry-after", ""), time.time())
            yield from self._failed(job, f"HTTP {response.status}", wait)
            return
        self._frontier.answers(job.host)
        if response.status == 304:
            self._frontier.unchanged(job, time.time())
        elif not response.ok:
            yield from self._failed(job, f"HTTP {response.status}")
        else:
            self.pages, self.bytes = self.pages + 1, self.bytes + len(response.body)
            yield from self._arrived(outcome, response)

    def drop(self, job: Job, reason: str, same: int | None = None) -> Drop:
        """A URL is not taken; `same` is the one that stands for it."""
        self._frontier.dropped(job, reason, time.time(), same)
        return Drop(reason)

    def _failed(self, job: Job, reason: str, wait: float = 0.0) -> Iterator[Given]:
        """Nothing came. A host that refuses again and again is left alone, and its URLs keep their places."""
        self.errors, self.why = self.errors + 1, reason
        if reason in REFUSED:
            self._frontier.refuses(job.host, time.time(), wait)
            if job.tries + 1 < MOST_TRIES:
                self._frontier.again(job)
                return
        yield self.drop(job, reason)

    def _arrived(self, outcome: Outcome, response: Response) -> Iterator[Given]:
        job, url = outcome.job, canonical(response.url) or outcome.job.url
        if url != job.url:
            yield self.drop(job, REDIRECTED, self._target(job, url))
            found = self._frontier.job(near(url), url)
            if found is None:  # it is here already, or on its way
                return
            job = found
        try:
            yield from self._page(job, url, response, outcome)
        except FATAL:
            raise
        except Exception:  # whatever a page brings about in its reading or rating, the crawl goes on
            log.warning("crawl: %s could not be read", url, exc_info=True)
            yield self.drop(job, POISONED)

    def _target(self, job: Job, url: str) -> int | None:
        """The row of a redirect's target, which is made if need be."""
        form = near(url)
        known = [k for k in self._frontier.known([form]).get(form, ()) if k.id != job.id]
        there = [k for k in known if k.url == url] or [k for k in known if k.state == FETCHED]
        if not there:
            self._frontier.add(Seen(url, form, host_of(url), job.depth, job.value, parent=job.id))
            there = self._frontier.known([form])[form][-1:]
        return there[0].id

    def _page(self, job: Job, url: str, response: Response, outcome: Outcome) -> Iterator[Given]:
        """A page that came; its own row is written last, when all that may fail is done."""
        html = is_html(response.mime, response.body)
        if not html and not self._plan.media:
            yield self.drop(job, WRONG_TYPE)
            return
        page = read(response.body, url, response.charset) if html else Page(url=url)
        said = self._said(page, response)
        if said.digest == job.digest:
            self._frontier.unchanged(job, time.time())
            return
        self._endless.read(url, page.text)
        if same := self._frontier.same_content(said.digest, job.id):
            yield self.drop(job, SAME, same)
            return
        reason = self._unwanted(page, html, response, outcome)
        record = None if reason else self._make(response, page)
        body = msgspec.msgpack.encode(record)
        nofollow = page.nofollow or "nofollow" in directives(response.headers.get("x-robots-tag", ""))
        if not (self._plan.obey and nofollow):
            yield from list(self._links.follow(job, page))
        if record is None:
            self._frontier.fetched(job, said, time.time(), reason)
            yield Drop(reason)
            return
        self._aim.learn(url, page.text)
        self._frontier.fetched(job, said, time.time())
        yield self._frontier.pages.keep(job, body), record

    def _said(self, page: Page, response: Response) -> Said:
        content = page.text if len(page.text) >= SHORT else response.body
        headers = response.headers
        return Said(number_of(content), headers.get("etag"), headers.get("last-modified"))

    def _unwanted(self, page: Page, html: bool, response: Response, outcome: Outcome) -> str:
        """Why a page is read for its links alone; "" when it is wanted."""
        if self._plan.obey and (reason := _reserved(page, html, response, outcome)):
            return reason
        if not self._plan.delivers(page.url):
            return NOT_INCLUDED
        if page.needs_script and self._plain:
            return SCRIPT
        return "" if page.text or not html else NO_TEXT


def _reserved(page: Page, html: bool, response: Response, outcome: Outcome) -> str:
    read = page if html else None
    return opted_out(page.url, response.headers, read, outcome.robots, outcome.site)

"""The crawl: takes from the frontier, fetches, settles, commits, and only then gives.

What a batch brought is in the frontier, in one transaction, before any of it leaves here. What left but was
not kept by the store (a crash, a passage that failed) is given again from there; nothing is fetched again.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from openflywheel.base.errors import SourceFailed, StoreError
from openflywheel.base.nouns import Drop, Record
from openflywheel.collect._frontier.endless import ENDLESS, Endless
from openflywheel.collect._frontier.fetching import Fetch, Fetching
from openflywheel.collect._frontier.frontier import Frontier
from openflywheel.collect._frontier.links import Links, host_of
from openflywheel.collect._frontier.pace import AHEAD, Pace
from openflywheel.collect._frontier.plan import Plan
from openflywheel.collect._frontier.rows import Job, Seen
from openflywheel.collect._frontier.tables import FETCHED
from openflywheel.collect._frontier.taking import FATAL, Given, Make, Taking
from openflywheel.collect._site.page import Link
from openflywheel.collect._site.urls import near, origin
from openflywheel.collect._value.aim import Aim, breadth_first
from openflywheel.collect._web.web import Web

Progress = Callable[[dict[str, float]], object]

BATCH, WAIT = 16, 0.5  # a commit for so many pages, or for those of so many seconds
AIMED = 4  # URLs ahead of a crawl with an aim: what the next page leads to may be worth more than what waits
FIRST = 1e300  # value of the start: before everything
RATED = 500  # links of a sitemap that are rated at once
REFUSING = "hosts refuse, and are left alone"

log = logging.getLogger("openflywheel")

_SERVED: dict[Path, object] = {}  # frontier -> the state under which it was served last


def frontier_of(plan: Plan, workspace: Path) -> Path:
    """The file that keeps a crawl's frontier."""
    return workspace / "crawl" / f"{plan.name}.db"


def quiet(figures: dict[str, float]) -> None:
    """Nobody watches."""


def crawl_site(
    plan: Plan,
    *,
    web: Web,
    workspace: Path,
    state: dict[str, Any],
    make: Make,
    aim: Aim = breadth_first,
    aimed: str = "",
    fetch: Fetch | None = None,
    progress: Progress = quiet,
) -> Iterator[Record | Drop]:
    """Records of a crawl's new pages, and a Drop for everything that it did not take.

    `make` turns a response and its page into a Record; `aimed` names what `aim` is after: under another name
    what waits is rated anew. `fetch` stands in for the web's plain fetch. `state` holds the number of the
    last page that was given; it must be kept with what was given, or not at all. `progress` is called after
    every batch with pages done, URLs queued, errors, and pages a second. Raises SourceFailed when nothing can
    be fetched at all, StoreError when the frontier's file cannot be used.
    """
    path = frontier_of(plan, workspace)
    try:
        frontier = Frontier(path, int(state.get("delivered", 0)))
        crawl = _Crawl(plan, web, frontier, aim, aimed, make, fetch, progress)
        try:
            yield from crawl.run(state, path)
        finally:
            crawl.close()
    except sqlite3.Error as error:
        raise StoreError(f"the frontier {path} cannot be written: {error}") from error


class _Crawl:
    """One call's work on a frontier."""

    def __init__(
        self,
        plan: Plan,
        web: Web,
        frontier: Frontier,
        aim: Aim,
        aimed: str,
        make: Make,
        fetch: Fetch | None,
        progress: Progress,
    ) -> None:
        self._plan, self._web, self._frontier = plan, web, frontier
        self._aim, self._aimed = aim, aimed
        self._ahead, self._want = (AIMED, 1) if aimed else (AHEAD, BATCH)
        self._endless = Endless(frontier)
        self._links = Links(plan, frontier, self._endless, aim, by_words=bool(aimed))
        self._taking = Taking(plan, frontier, self._links, self._endless, aim, make, plain=fetch is None)
        self._pace = Pace(lambda host: web.owns(f"http://{host}/"), web.settings.delay)
        self._fetching = Fetching(web, plan, fetch)
        self._progress = progress
        self._began = time.monotonic()
        self._in_flight = 0
        self._over = ""

    def run(self, state: dict[str, Any], path: Path) -> Iterator[Record | Drop]:
        """What was not kept the last time, then what is new."""
        self._open(state, path)
        yield from self._sitemaps()
        for number, body in self._frontier.pages.undelivered(int(state.get("delivered", 0))):
            state["delivered"] = number
            yield msgspec.msgpack.decode(body, type=Record)
        while not (stopped := self._stopped()):
            for given in self._batch():
                if isinstance(given, Drop):
                    yield given
                else:
                    state["delivered"], record = given
                    yield record
        state["stopped"] = stopped
        if stopped == REFUSING and not self._frontier.count(FETCHED):
            raise SourceFailed(
                f"{self._plan.source}: nothing can be fetched from {self._plan.start[0]}: "
                f"{self._taking.why or stopped}; see: flywheel collect --explain {self._plan.start[0]}"
            )

    def _open(self, state: dict[str, Any], path: Path) -> None:
        """Forget what the store has kept. The same `state` again is the same passage: not kept yet."""
        if _SERVED.get(path) is not state:
            self._frontier.pages.forget(int(state.get("delivered", 0)))
        _SERVED[path] = state
        self._frontier.requeue(time.time() - self._plan.refresh)
        for url in self._plan.start:
            self._frontier.add(Seen(url, near(url), host_of(url), 0, FIRST))
        if self._frontier.facts.get("aimed") == self._aimed:
            self._aim.restore(self._frontier.facts.get("aim") or {})
        else:
            with _surviving("what waits"):
                self._links.rate_again()
            self._frontier.facts.put("aimed", self._aimed)
        self._frontier.commit()

    def _sitemaps(self) -> Iterator[Drop]:
        """Queue what the sites list, once in every `refresh`."""
        now, asked = time.time(), self._frontier.facts.get("sitemaps") or 0.0
        if not self._plan.sitemaps or now - asked < self._plan.refresh:
            return
        for url in {origin(url): url for url in self._plan.start}.values():
            found = self._web.run(self._fetching.listed(url))
            yield from (drop for drop in found if isinstance(drop, Drop))
            links = [Link(url=entry.url) for entry in found if not isinstance(entry, Drop)]
            for at in range(0, len(links), RATED):
                yield from self._listed(links[at : at + RATED])
        self._frontier.facts.put("sitemaps", now)
        self._frontier.commit()

    def _listed(self, links: Sequence[Link]) -> list[Drop]:
        with _surviving("links of a sitemap"):
            return list(self._links.queue(links, None, 1, None))
        return [Drop("sitemap: could not be rated")]

    def _stopped(self) -> str:
        """Why to stop; "" to go on."""
        if self._taking.pages >= self._plan.pages:
            return "pages"
        if self._taking.bytes >= self._plan.bytes:
            return "bytes"
        if time.monotonic() - self._began >= self._plan.seconds:
            return "seconds"
        best = self._frontier.best()
        return self._over or (self._aim.enough(best) if best is not None and best < FIRST else "")

    def _batch(self) -> list[Given]:
        """Fetch some pages and keep them; what may be given once they are kept."""
        given, jobs = list[Given](), list[Job]()
        for job in self._frontier.take(self._room(), time.time(), self._pace):
            if self._endless.closed(job.url):
                given.append(self._taking.drop(job, ENDLESS))
            else:
                jobs.append(job)
                self._pace.asks(job.host)
        self._in_flight += len(jobs)
        if self._in_flight:
            for outcome in self._web.run(self._fetching.more(jobs, self._want, WAIT)):
                self._in_flight -= 1
                self._pace.answered(outcome.job.host, outcome.delay)
                given += self._taking.settle(outcome)
        elif not given:
            self._rest()
        with _surviving("what waits"):  # what came may have made it worth less
            self._frontier.revise(self._aim.revised())
        if state := self._aim.state():
            self._frontier.facts.put("aim", state)
        self._frontier.commit()
        self._tell()
        return given

    def _room(self) -> int:
        return min(self._ahead, self._plan.pages - self._taking.pages) - self._in_flight

    def _rest(self) -> None:
        """Nothing can be asked at this moment: wait for the politeness of it, or end."""
        wait = self._pace.wait
        if self._frontier.waiting and wait is not None:
            time.sleep(min(wait, WAIT))
        else:
            self._over = REFUSING if self._frontier.waiting else "nothing left"

    def _tell(self) -> None:
        done = self._taking.pages
        rate = done / (time.monotonic() - self._began)
        waiting, errors = self._frontier.waiting, self._taking.errors
        self._progress({"done": done, "queued": waiting, "errors": errors, "rate": rate})

    def close(self) -> None:
        """Give up what is in flight, keep what was settled."""
        self._web.run(self._fetching.stop())
        self._frontier.close()


@contextmanager
def _surviving(what: str) -> Iterator[None]:
    """A URL that the aim stumbles over must not end the crawl."""
    try:
        yield
    except FATAL:
        raise
    except Exception:
        log.warning("crawl: %s could not be rated", what, exc_info=True)

"""What a page leads to: its links judged, rated and queued."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from openflywheel.base.nouns import Drop
from openflywheel.collect._frontier.endless import Endless
from openflywheel.collect._frontier.frontier import Frontier
from openflywheel.collect._frontier.plan import OUTSIDE, Plan
from openflywheel.collect._frontier.rows import Job, Known, Seen
from openflywheel.collect._frontier.tables import DROPPED, QUEUED
from openflywheel.collect._site.page import Link, Page
from openflywheel.collect._site.urls import near, origin
from openflywheel.collect._value.aim import Aim

NEAR = "near duplicate of another URL"
REMEMBERED = 65_536  # links that need no second look: about 10 MB
RATED = 5_000  # queued URLs that are rated anew for another gap: an encoder takes 3 CPU-ms each


class Wanted(NamedTuple):
    """A link worth rating; `there` is what the frontier has of it already."""

    link: Link
    form: str
    there: Known | None


class Links:
    """The links of one crawl. With `by_words` the words of a link count: others may make it worth more."""

    def __init__(self, plan: Plan, frontier: Frontier, endless: Endless, aim: Aim, *, by_words: bool) -> None:
        self._plan, self._frontier, self._endless, self._aim = plan, frontier, endless, aim
        self._by_words = by_words
        self._new, self._old = set[int](), set[int]()

    def follow(self, job: Job, page: Page) -> Iterator[Drop]:
        """Queue what a page links to; what is near to a known URL, or against the rules, is dropped.

        Of a million links of a site, most are its menus': those seen lately get no second look.
        """
        if job.depth >= self._plan.depth:
            return
        links = [link for link in page.links if not (self._plan.obey and link.nofollow)]
        names = {hash((link.url, link.text)) if self._by_words else hash(link.url): link for link in links}
        fresh = {name for name in names if name not in self._new and name not in self._old}
        new = [link for name, link in names.items() if name in fresh]
        yield from self.queue(new, page, job.depth + 1, job.id)
        self._new |= fresh
        if len(self._new) > REMEMBERED:
            self._old, self._new = self._new, set()

    def queue(
        self, links: Sequence[Link], page: Page | None, depth: int, parent: int | None
    ) -> Iterator[Drop]:
        """Queue links of a page, or of a sitemap; better ones of what waits already move it up."""
        judged = [(link, near(link.url), self._plan.refuses(link.url)) for link in links]
        judged = [(link, form, reason) for link, form, reason in judged if reason != OUTSIDE]
        known = self._frontier.known(form for _, form, _ in judged)
        wanted, refused, first = list[Wanted](), list[tuple[Seen, str]](), dict[str, str]()
        for link, form, reason in judged:
            there = next((k for k in known.get(form, ()) if k.url == link.url), None)
            if there is not None:
                wanted += [Wanted(link, form, there)] if there.state == QUEUED else []
            elif reason or _alive(known.get(form, ())) or first.setdefault(form, link.url) != link.url:
                refused.append((self._seen(link, form, depth, parent), reason or NEAR))
            elif not self._endless.closed(link.url):
                wanted.append(Wanted(link, form, None))
        self._rate(wanted, page, depth, parent)
        yield from self._refuse(refused)

    def _seen(self, link: Link, form: str, depth: int, parent: int | None) -> Seen:
        return Seen(link.url, form, host_of(link.url), depth, text=link.text, parent=parent)

    def _refuse(self, refused: Sequence[tuple[Seen, str]]) -> Iterator[Drop]:
        known = self._frontier.known(seen.near for seen, reason in refused if reason == NEAR)
        for seen, reason in refused:
            if self._frontier.add(seen, reason, _alive(known.get(seen.near, ()))):
                yield Drop(reason)

    def _rate(self, wanted: Sequence[Wanted], page: Page | None, depth: int, parent: int | None) -> None:
        values = self._aim.rate([w.link for w in wanted], page, depth) if wanted else []
        for w, value in sorted(zip(wanted, values, strict=True), key=lambda pair: -pair[1]):
            if w.there is None:
                seen = self._seen(w.link, w.form, depth, parent)
                seen.value = value
                self._frontier.add(seen)
            elif value > w.there.value or depth < w.there.depth:
                self._frontier.better(w.there.id, host_of(w.link.url), value, depth)

    def rate_again(self) -> None:
        """For another gap what waits is worth something else: `RATED` of it, the nearest to the start."""
        waiting = self._frontier.nearest(RATED)
        values = dict[int, float]()
        for depth, rows in groupby(waiting, key=lambda row: row[3]):
            ids, links = zip(
                *((id, Link(url=url, text=text or "")) for id, url, text, _ in rows), strict=True
            )
            values |= zip(ids, self._aim.rate(links, None, depth), strict=True)
        if values:
            self._frontier.revalue(values)


def _alive(known: Sequence[Known]) -> int | None:
    """The first URL of a form that was not dropped itself."""
    return next((k.id for k in known if k.state != DROPPED), None)


def host_of(url: str) -> str:
    """Host and port of a canonical URL."""
    return origin(url).partition("://")[2]

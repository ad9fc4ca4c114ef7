"""Why a URL was taken or not: from the crawl's frontier, else by the rules as they stand."""

import time
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

from msgspec import Struct

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop
from openflywheel.collect._frontier.endless import ENDLESS, pattern_of
from openflywheel.collect._frontier.engine import frontier_of
from openflywheel.collect._frontier.fetching import Fetching
from openflywheel.collect._frontier.plan import Plan
from openflywheel.collect._frontier.rows import number_of
from openflywheel.collect._frontier.tables import DROPPED, FETCHED, QUEUED, STATES, read_only
from openflywheel.collect._site.robots import RobotsBook
from openflywheel.collect._site.urls import canonical, near
from openflywheel.collect._streams import Stream
from openflywheel.collect._web.web import Web


class _Row(Struct, frozen=True):
    """A URL as the frontier keeps it."""

    id: int
    url: str
    state: int
    reason: str | None
    depth: int
    value: float
    parent: str | None
    same: str | None
    at: float | None
    host: int


_ROW = (
    "SELECT u.id, u.url, u.state, u.reason, u.depth, u.value, p.url, s.url, u.at, u.host FROM urls AS u "
    "LEFT JOIN urls AS p ON p.id = u.parent LEFT JOIN urls AS s ON s.id = u.same "
)


def explain_url(url: str, plan: Plan, web: Web, path: Path) -> str:
    """Why a URL was or was not taken, in a sentence or two. Asks the site for its robots.txt alone."""
    found = canonical(url)
    if found is None:
        return f"not taken: {url!r} is no URL that can be crawled"
    said = _kept(found, path) if path.exists() else ""
    return said or _ruled(found, plan, web)


def looked_at(plan: Plan, web: Web, workspace: Path) -> Iterator[Stream]:
    """What a crawl knows of its sites: what its frontier has, or else what their sitemaps list."""
    path = frontier_of(plan, workspace)
    if path.exists():
        base = read_only(path)
        counts = dict(base.execute("SELECT state, count(*) FROM urls GROUP BY state").fetchall())
        base.close()
        said = ", ".join(f"{n:,} {STATES[state]}" for state, n in sorted(counts.items()))
        yield Stream(", ".join(plan.start), min(counts.get(QUEUED, 0), plan.pages), note=said)
        return
    for url in plan.start:
        found = web.run(Fetching(web, plan).listed(url)) if plan.sitemaps else []
        listed = sum(not isinstance(entry, Drop) for entry in found)
        note = f"{listed:,} in its sitemaps" if listed else "no sitemap: what it links to is not known yet"
        yield Stream(url, min(listed, plan.pages) or None, note=note)


def check_starts(plan: Plan, web: Web) -> None:
    """May the starts be fetched? Asks for their robots.txt alone. Raises SourceFailed."""
    book = RobotsBook(web.fetch, web.agent)
    for url in plan.start if plan.obey else ():
        robots = web.run(book.robots(url))
        if not robots.allowed(web.agent, url):
            raise SourceFailed(f"{plan.source}: {url} may not be fetched: {robots.why(web.agent, url)}")


def _kept(url: str, path: Path) -> str:
    """What the frontier says; "" when it has never seen the URL."""
    base = read_only(path)
    try:
        rows = base.execute(f"{_ROW} WHERE u.near = ? ORDER BY u.id", (number_of(near(url)),)).fetchall()
        known = [_Row(*row) for row in rows]
        exact = [row for row in known if row.url == url]
        if not known:
            pattern = base.execute("SELECT 1 FROM patterns WHERE pattern = ?", (pattern_of(url),)).fetchone()
            return f"not taken: {ENDLESS} ({pattern_of(url)})" if pattern else ""
        if exact:
            return _row(exact[0], base)
        return f"not taken: near duplicate of {known[0].url}, which was {_row(known[0], base)}"
    finally:
        base.close()


def _row(row: _Row, base: Connection) -> str:
    found = f"found on {row.parent}" if row.parent else "a start, or listed in a sitemap"
    place = f"depth {row.depth}, {found}"
    if row.state == FETCHED:
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(row.at))
        return (
            f"read for its links alone: {row.reason}; {place}" if row.reason else f"taken on {when}; {place}"
        )
    if row.state == DROPPED:
        return f"not taken: {row.reason}{f' ({row.same})' if row.same else ''}; {place}"
    [(due, ahead)] = base.execute(
        "SELECT due, (SELECT count(*) FROM urls WHERE state = 0 AND value > ?) FROM hosts WHERE id = ?",
        (row.value, row.host),
    ).fetchall()
    until = time.strftime("%H:%M:%S UTC", time.gmtime(due))
    away = f", and its host refuses until {until}" if due > time.time() else ""
    waits = f"{ahead:,} of a higher value wait before it, its own is {row.value:.4g}{away}"
    return f"not taken yet: {waits}; {place}"


def _ruled(url: str, plan: Plan, web: Web) -> str:
    """What the rules say about a URL that no page has led to so far."""
    if reason := plan.refuses(url):
        return f"not taken: {reason}"
    robots = web.run(RobotsBook(web.fetch, web.agent).robots(url))
    if plan.obey and not robots.allowed(web.agent, url):
        return f"not taken: robots.txt refuses it: {robots.why(web.agent, url)}"
    return "not taken: no page that was read leads to it; the rules would let it pass"

"""The durable queue of a crawl: what is known, what comes next, and what came of it.

A page, its links and its done-mark are kept in one transaction (`commit`): after a crash none of them is
there without the others. Nothing is held in memory that grows with the crawl.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from openflywheel.collect._frontier.pages import Facts, Pages
from openflywheel.collect._frontier.rows import Job, Known, Said, Seen, number_of
from openflywheel.collect._frontier.tables import DROPPED, FETCHED, QUEUED, Tables
from openflywheel.collect._site.urls import near

LONGEST_TEXT = 200  # characters of a link's words that are kept
AWAY, LONGEST_AWAY = 30.0, 3_600.0  # seconds for which a host that refuses is left alone; doubled each time

JOB = "id, url, host, depth, value, tries, etag, modified, digest"
INSERT = (
    "INSERT OR IGNORE INTO urls (near, key, url, host, depth, value, text, parent, state, reason, same) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Pace(Protocol):
    """How many requests each host can take now (pace.py)."""

    @property
    def resting(self) -> int:
        """How many hosts can take none."""

    def room(self, host: int, name: str) -> int:
        """How many more requests a host can take at this moment."""


class Frontier:
    """One crawl's queue in the file `path`, used by one thread; `waiting` counts what is queued.

    `delivered` is the number of the last page that the store has kept. Raises StoreError.
    """

    def __init__(self, path: Path, delivered: int = 0) -> None:
        self._tables = Tables(path)
        self.pages, self.facts = Pages(self._tables, delivered), Facts(self._tables)
        self._touched: set[int] = set()
        self._taken: dict[int, set[int]] = defaultdict(set)
        self._host = lru_cache(10_000)(self._id_of_host)
        self.waiting = self.count(QUEUED)

    def _id_of_host(self, name: str) -> int:
        self._tables.write("INSERT OR IGNORE INTO hosts (name) VALUES (?)", name)
        return int(self._tables.one("SELECT id FROM hosts WHERE name = ?", name))

    def commit(self) -> None:
        """Keep all that was said since the last time, or nothing of it."""
        for host in self._touched:
            self._tables.write(
                "UPDATE hosts SET best = (SELECT value FROM urls WHERE state = 0 AND host = hosts.id "
                "ORDER BY value DESC LIMIT 1) WHERE id = ?",
                host,
            )
        self._touched.clear()
        self._tables.commit()

    def close(self) -> None:
        """Keep what was said, and let go of the file."""
        self.commit()
        self._tables.close()

    # What is known, and what is found

    def job(self, form: str, url: str) -> Job | None:
        """A queued URL that is not being fetched, as a job."""
        rows = self._tables.all(
            f"SELECT {JOB} FROM urls WHERE near = ? AND key = ? AND state = 0",  # noqa: S608
            number_of(form), number_of(url),
        )  # fmt: skip
        return next((Job(*row) for row in rows if row[0] not in self._taken.get(row[2], ())), None)

    def known(self, nears: Iterable[str]) -> dict[str, list[Known]]:
        """near form -> the URLs of that form, in the order in which they were found."""
        numbers = {number_of(form): form for form in nears}
        rows = self._tables.all(
            "SELECT urls.near, urls.id, url, state, urls.value, depth FROM json_each(?) AS asked "
            "JOIN urls ON urls.near = asked.value ORDER BY urls.id",
            json.dumps(list(numbers)),
        )
        out: dict[str, list[Known]] = defaultdict(list)
        for form, *rest in rows:
            out[numbers[form]].append(Known(*rest))
        return out

    def same_content(self, digest: int, but: int) -> int | None:
        """The first page of that content that was taken, other than the URL `but`."""
        found: int | None = self._tables.one(
            "SELECT id FROM urls WHERE digest = ? AND id <> ? AND reason IS NULL ORDER BY id LIMIT 1",
            digest, but,
        )  # fmt: skip
        return found

    def add(self, seen: Seen, reason: str | None = None, same: int | None = None) -> bool:
        """Queue a URL, or keep why it is not wanted. Was it new? One that is there stays as it is."""
        host, text = self._host(seen.host), seen.text[:LONGEST_TEXT] or None
        new = self._tables.write(
            INSERT, number_of(seen.near), number_of(seen.url), seen.url, host, seen.depth, seen.value, text,
            seen.parent, DROPPED if reason else QUEUED, reason, same,
        )  # fmt: skip
        if new and not reason:
            self.waiting += 1
            self._touched.add(host)
        return bool(new)

    def better(self, id: int, host: str, value: float, depth: int) -> None:
        """A queued URL was found again, from a better place or on a shorter way."""
        self._touched.add(self._host(host))
        self._tables.write(
            "UPDATE urls SET value = max(value, ?), depth = min(depth, ?) WHERE id = ? AND state = 0",
            value, depth, id,
        )  # fmt: skip

    def nearest(self, most: int) -> list[tuple[int, str, str | None, int]]:
        """(id, url, text, depth) of what waits, the nearest to the start first; not the start itself."""
        return self._tables.all(
            "SELECT id, url, text, depth FROM urls WHERE state = 0 AND depth > 0 ORDER BY depth, id LIMIT ?",
            most,
        )

    def revalue(self, values: Mapping[int, float]) -> None:
        """Give queued URLs other values; all that are not named get the lowest of them."""
        self._tables.write("UPDATE urls SET value = ? WHERE state = 0 AND depth > 0", min(values.values()))
        self._tables.write_many(
            "UPDATE urls SET value = ? WHERE id = ?", ((value, id) for id, value in values.items())
        )
        self._touched.update(id for (id,) in self._tables.all("SELECT id FROM hosts WHERE best IS NOT NULL"))

    def revise(self, values: Mapping[str, float]) -> None:
        """Give the queued ones of some URLs other values."""
        self._tables.write_many(
            "UPDATE urls SET value = ? WHERE near = ? AND key = ? AND state = 0",
            ((value, number_of(near(url)), number_of(url)) for url, value in values.items()),
        )
        found = self._tables.all(
            "SELECT DISTINCT host FROM urls JOIN json_each(?) AS revised ON urls.near = revised.value",
            json.dumps([number_of(near(url)) for url in values]),
        )
        self._touched.update(id for (id,) in found)

    def count(self, state: int) -> int:
        """How many URLs are in a state."""
        return int(self._tables.one("SELECT count(*) FROM urls WHERE state = ?", state))

    # What comes next

    def take(self, most: int, now: float, pace: Pace) -> list[Job]:
        """At most so many URLs to fetch: the most valuable of hosts that can be asked now, then the oldest.

        A slow host holds up none but itself. What is taken is not given again until it is said what came of
        it; nothing is written, so a crash puts it back.
        """
        ready = self._tables.all(
            "SELECT id, name FROM hosts WHERE best IS NOT NULL AND due <= ? ORDER BY best DESC, id LIMIT ?",
            now, most + pace.resting,
        )  # fmt: skip
        jobs = [job for id, name in ready for job in self._of(id, min(most, pace.room(id, name)))]
        jobs = sorted(jobs, key=lambda job: (-job.value, job.id))[:most]
        for job in jobs:
            self._taken[job.host].add(job.id)
        return jobs

    def _of(self, host: int, room: int) -> Iterator[Job]:
        if room < 1:
            return
        taken = self._taken.get(host, ())
        rows = self._tables.all(
            f"SELECT {JOB} FROM urls WHERE state = 0 AND host = ? ORDER BY value DESC, id LIMIT ?",  # noqa: S608
            host, room + len(taken),
        )  # fmt: skip
        yield from [Job(*row) for row in rows if row[0] not in taken][:room]

    def best(self) -> float | None:
        """The highest value that waits."""
        found: float | None = self._tables.one("SELECT max(best) FROM hosts WHERE best IS NOT NULL")
        return found

    # What came of it

    def _settled(self, job: Job) -> None:
        self._taken[job.host].discard(job.id)
        self._touched.add(job.host)
        self.waiting -= 1

    def fetched(self, job: Job, said: Said, at: float, reason: str | None = None) -> None:
        """The page was read; with a `reason` for its links alone."""
        self._settled(job)
        self._tables.write(
            "UPDATE urls SET state = ?, reason = ?, digest = ?, etag = ?, modified = ?, at = ?, tries = 0 "
            "WHERE id = ?", FETCHED, reason, said.digest, said.etag, said.modified, at, job.id,
        )  # fmt: skip

    def unchanged(self, job: Job, at: float) -> None:
        """It says what it said the last time."""
        self._settled(job)
        self._tables.write("UPDATE urls SET state = ?, at = ?, tries = 0 WHERE id = ?", FETCHED, at, job.id)

    def dropped(self, job: Job, reason: str, at: float, same: int | None = None) -> None:
        """It is not taken; `same` names the URL that stands for it."""
        self._settled(job)
        self._tables.write(
            "UPDATE urls SET state = ?, reason = ?, same = ?, at = ? WHERE id = ?",
            DROPPED, reason, same, at, job.id,
        )  # fmt: skip

    def again(self, job: Job) -> None:
        """It could not be fetched now, and stays in the queue."""
        self._taken[job.host].discard(job.id)
        self._tables.write("UPDATE urls SET tries = tries + 1 WHERE id = ?", job.id)

    def refuses(self, host: int, now: float, wait: float) -> None:
        """A host wants to be left alone, for `wait` seconds at least (times are Unix seconds).

        The requests that were in flight when it began to refuse count as one refusal.
        """
        [(due, fails)] = self._tables.all("SELECT due, fails FROM hosts WHERE id = ?", host)
        again = due <= now
        away = min(AWAY * 2 ** min(fails, 10), LONGEST_AWAY) if again else 0.0
        self._tables.write(
            "UPDATE hosts SET due = ?, fails = ? WHERE id = ?",
            max(due, now + max(away, wait)), fails + again, host,
        )  # fmt: skip

    def answers(self, host: int) -> None:
        """A host answered: what it refused before is forgotten."""
        self._tables.write("UPDATE hosts SET fails = 0 WHERE id = ? AND fails > 0", host)

    def requeue(self, before: float) -> None:
        """Queue again what was fetched before a moment (Unix seconds)."""
        hosts = self._tables.all("SELECT DISTINCT host FROM urls WHERE state = 1 AND at < ?", before)
        self._touched.update(id for (id,) in hosts)
        self.waiting += self._tables.write("UPDATE urls SET state = 0 WHERE state = 1 AND at < ?", before)

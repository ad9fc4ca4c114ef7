"""What a crawl has fetched and not delivered yet, and what else it must remember."""

import json
from collections.abc import Iterator
from typing import Any

from openflywheel.collect._frontier.rows import Job
from openflywheel.collect._frontier.tables import Tables


class Pages:
    """Pages on their way to the store, numbered in their order; `delivered` is the last one that is there.

    Numbers only rise, also where a power cut took the newest of them: else a page could have the number of
    one that was delivered, and would count as delivered.
    """

    def __init__(self, tables: Tables, delivered: int) -> None:
        self._tables = tables
        self._last = max(int(tables.one("SELECT coalesce(max(number), 0) FROM pages")), delivered)

    def keep(self, job: Job, body: bytes) -> int:
        """Keep what was made of a page until it is delivered; returns its number."""
        self._last += 1
        self._tables.write("INSERT INTO pages (number, url, body) VALUES (?, ?, ?)", self._last, job.id, body)
        return self._last

    def undelivered(self, after: int) -> Iterator[tuple[int, bytes]]:
        """(number, body) of the pages after a number, in their order."""
        sql = "SELECT number, body FROM pages WHERE number > ? ORDER BY number LIMIT 20"
        while rows := self._tables.all(sql, after):
            yield from rows
            after = rows[-1][0]

    def forget(self, upto: int) -> None:
        """Pages up to a number were delivered and kept."""
        self._tables.write("DELETE FROM pages WHERE number <= ?", upto)


class Facts:
    """JSON-able facts of a crawl, and the patterns that were found to be endless."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, name: str) -> Any:
        """A fact by its name, None when there is none."""
        said = self._tables.one("SELECT value FROM facts WHERE name = ?", name)
        return said and json.loads(said)

    def put(self, name: str, value: Any) -> None:
        """Remember a fact."""
        self._tables.write("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, json.dumps(value))

    def endless(self) -> set[str]:
        """The patterns of which nothing more is fetched (endless.py)."""
        return {pattern for (pattern,) in self._tables.all("SELECT pattern FROM patterns")}

    def close_pattern(self, pattern: str) -> None:
        """Fetch nothing more of a pattern."""
        self._tables.write("INSERT OR IGNORE INTO patterns VALUES (?)", pattern)

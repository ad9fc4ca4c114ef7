"""The tables of a frontier's file, and how it is opened."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from openflywheel.base.errors import StoreError

QUEUED, FETCHED, DROPPED = 0, 1, 2
STATES = ("queued", "fetched", "dropped")

VERSION = 1

# `near` is the hash of the form that near-duplicates share, `key` that of the URL itself: two integers stand
# for two texts in the one index that every link is looked up in (24 bytes an entry). The other indexes hold
# only the rows that they are asked about.
SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hosts (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, due REAL NOT NULL DEFAULT 0,
    fails INTEGER NOT NULL DEFAULT 0, best REAL);
CREATE INDEX IF NOT EXISTS hosts_waiting ON hosts (best DESC, id) WHERE best IS NOT NULL;
CREATE TABLE IF NOT EXISTS urls (
    id INTEGER PRIMARY KEY, near INTEGER NOT NULL, key INTEGER NOT NULL, url TEXT NOT NULL,
    host INTEGER NOT NULL, depth INTEGER NOT NULL, value REAL NOT NULL, state INTEGER NOT NULL,
    reason TEXT, parent INTEGER, same INTEGER, text TEXT, etag TEXT, modified TEXT, digest INTEGER,
    tries INTEGER NOT NULL DEFAULT 0, at REAL);
CREATE UNIQUE INDEX IF NOT EXISTS urls_known ON urls (near, key);
CREATE INDEX IF NOT EXISTS urls_queued ON urls (host, value DESC, id) WHERE state = 0;
CREATE INDEX IF NOT EXISTS urls_fetched ON urls (at) WHERE state = 1;
CREATE INDEX IF NOT EXISTS urls_content ON urls (digest) WHERE digest IS NOT NULL;
CREATE TABLE IF NOT EXISTS pages (number INTEGER PRIMARY KEY, url INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS patterns (pattern TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Tables:
    """A frontier's file, open for its crawl, used by one thread. What is written is kept by `commit`."""

    def __init__(self, path: Path) -> None:
        self._base = _connect(path)

    def all(self, sql: str, *values: Any) -> list[Any]:
        """The rows of a query."""
        return self._base.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Any:
        """The first value of a query's first row; None when there is no row."""
        row = self._base.execute(sql, values).fetchone()
        return row and row[0]

    def write(self, sql: str, *values: Any) -> int:
        """Run a statement in the open transaction; returns how many rows it changed."""
        self._begin()
        return self._base.execute(sql, values).rowcount

    def write_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement for each row in the open transaction."""
        self._begin()
        self._base.executemany(sql, rows)

    def _begin(self) -> None:
        if not self._base.in_transaction:
            self._base.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Keep all that was written since the last time, or nothing of it."""
        if self._base.in_transaction:
            self._base.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file; what was not committed is gone."""
        self._base.close()


def _connect(path: Path) -> sqlite3.Connection:
    """Open a frontier's file for its crawl, made if need be. Raises StoreError.

    WAL with synchronous = NORMAL: a commit is in the kernel's hands when it returns, so `kill -9` loses
    nothing that was committed. A power cut may lose the newest commits, never part of one (the WAL is
    synced before each checkpoint): those pages are fetched once more. FULL would add one fsync a batch and
    save that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        base = sqlite3.connect(path, isolation_level=None, timeout=10)
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = NORMAL")
        base.execute("PRAGMA cache_size = -16000")  # KB: bounds memory however large the file is
        base.execute("PRAGMA secure_delete = ON")  # delivered pages are overwritten, not only forgotten
        _make(base, path)
    except sqlite3.Error as error:
        raise StoreError(f"the frontier {path} cannot be used: {error}; remove it to crawl anew") from error
    return base


def read_only(path: Path) -> sqlite3.Connection:
    """Open a frontier's file to look at it, while its crawl may go on. Raises StoreError."""
    try:
        base = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        base.execute("SELECT count(*) FROM facts")
    except sqlite3.Error as error:
        raise StoreError(f"the frontier {path} cannot be read: {error}") from error
    return base


def _make(base: sqlite3.Connection, path: Path) -> None:
    [(version,)] = base.execute("PRAGMA user_version").fetchall()
    if version not in (0, VERSION):
        base.close()
        raise StoreError(f"the frontier {path} was written by another version ({version}); remove it")
    base.executescript(SCHEMA)
    base.execute(f"PRAGMA user_version = {VERSION}")

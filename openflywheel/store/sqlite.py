"""The journal in one SQLite file in WAL mode: one machine, no service."""

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from secrets import token_bytes
from typing import Any

from openflywheel.base.errors import StoreError
from openflywheel.store.backend import Durability, made_once
from openflywheel.store.group_commit import Write

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS journal(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB, UNIQUE(kind, id));
CREATE INDEX IF NOT EXISTS journal_kind ON journal(kind, seq);
CREATE TABLE IF NOT EXISTS named(
    kind TEXT NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(kind, name, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursors(
    room TEXT PRIMARY KEY, seq INTEGER NOT NULL, passage TEXT NOT NULL, state TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS once BEFORE UPDATE ON cursors WHEN NEW.passage = OLD.passage OR NEW.seq < OLD.seq
    BEGIN SELECT RAISE(ABORT, 'another process has made this passage meanwhile'); END;
CREATE TABLE IF NOT EXISTS questions(
    number INTEGER PRIMARY KEY AUTOINCREMENT, exchange TEXT NOT NULL UNIQUE, task TEXT NOT NULL,
    why TEXT NOT NULL, asked REAL NOT NULL, answered REAL);
CREATE TABLE IF NOT EXISTS inbox(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, name TEXT NOT NULL, mime TEXT NOT NULL,
    body BLOB NOT NULL, at REAL NOT NULL, UNIQUE(source, name));
"""
SYNCHRONOUS = {"disk": "FULL", "process": "NORMAL"}  # NORMAL: a commit waits for no fsync
PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous={}; PRAGMA secure_delete=ON;"


class SQLite:
    """The backend of a store in a folder."""

    shared = False

    def __init__(self, folder: Path, durability: Durability = "disk") -> None:
        self._folder, self._path, self._durability = folder, folder / "live.db", durability
        self.shown = str(self._path)

    def writer(self) -> "_Writer":
        if (self._folder / "database").exists():
            raise StoreError(
                f"the journal of {self._folder} is kept in PostgreSQL: set  database:  in flywheel.yaml "
                "again, or begin with another store"
            )
        return _Writer(_connect(self._path, self._durability, prepare=True))

    def reader(self) -> "_Reader":
        return _Reader(_connect(self._path), self._path)

    def secret(self) -> bytes:
        return made_once(self._folder / "key", token_bytes(32))


class _Reader:
    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the journal {self._path} could not be read: {error}") from error

    def close(self) -> None:
        self._connection.close()


class _Writer:
    """The connection that writes (group_commit.Writer)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def commit(self, batch: Sequence[Write]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                self._keep(write)
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _keep(self, write: Write) -> None:
        for row in write.rows:
            at = self._connection.execute(
                "INSERT INTO journal(kind, id, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (row.kind, row.id, row.body),
            )
            if at.rowcount:
                for name in row.names:
                    self._connection.execute(
                        "INSERT INTO named(kind, name, seq) VALUES (?, ?, ?)", (row.kind, name, at.lastrowid)
                    )
        for sql, values in write.statements:
            self._connection.execute(sql, values)

    def close(self) -> None:
        self._connection.close()


def _connect(path: Path, durability: Durability = "disk", *, prepare: bool = False) -> sqlite3.Connection:
    try:
        with ExitStack() as undo:
            connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            undo.callback(connection.close)
            connection.executescript(PRAGMAS.format(SYNCHRONOUS[durability]))
            if prepare:
                _prepare(connection, path)
            undo.pop_all()
            return connection
    except sqlite3.Error as error:
        raise StoreError(f"the journal {path} cannot be opened: {error}") from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, SCHEMA_VERSION):
        raise StoreError(
            f"{path} has schema {version}, this release reads {SCHEMA_VERSION}; upgrade openflywheel"
        )
    connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")

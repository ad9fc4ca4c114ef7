"""What is written while serving: one SQLite file in WAL mode with group commit.

A single thread writes; whatever waits in its queue becomes one transaction, so that a hundred answers
cost one fsync. A call returns after the commit: what was acknowledged survives SIGKILL and (synchronous =
FULL) a power cut. Rows are keyed by kind and id: writing one again changes nothing.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Noun, Signal, table_of

N = TypeVar("N", bound=Noun)
Statement = tuple[str, tuple[Any, ...]]

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS journal(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB, UNIQUE(kind, id));
CREATE INDEX IF NOT EXISTS journal_kind ON journal(kind, seq);
CREATE TABLE IF NOT EXISTS heard(
    exchange TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(exchange, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursors(room TEXT PRIMARY KEY, seq INTEGER NOT NULL, turn INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS questions(
    exchange TEXT PRIMARY KEY, task TEXT NOT NULL, why TEXT NOT NULL, asked REAL NOT NULL, answered REAL);
"""
MAX_VARIABLES = 900  # SQLite's oldest limit of bound variables in one statement is 999


class _Write(Struct):
    rows: list[tuple[str, str, bytes, str]]
    statements: Sequence[Statement]
    done: "Future[None]"


class Journal:
    """The append-only log of nouns, with the cursors of the rooms beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._queue: SimpleQueue[_Write | None] = SimpleQueue()
        self._opened: list[sqlite3.Connection] = []
        writer = self._connect()
        _prepare(writer, path)
        self._thread = threading.Thread(target=self._run, args=(writer,), name="journal", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;")
        self._opened.append(connection)
        return connection

    @property
    def _reader(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
        connection: sqlite3.Connection = self._local.connection
        return connection

    def write(self, nouns: Iterable[Noun], statements: Sequence[Statement] = ()) -> None:
        """Append nouns and run statements in one transaction; returns once it is on disk."""
        done: Future[None] = Future()
        rows = [(table_of(type(n)), n.id, msgspec.msgpack.encode(n), _exchange_of(n)) for n in nouns]
        self._queue.put(_Write(rows, statements, done))
        done.result()

    def _run(self, connection: sqlite3.Connection) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first, *self._waiting()]
            try:
                _commit(connection, batch)
            except sqlite3.Error as error:
                self._refuse(connection, batch, error)
            else:
                for write in batch:
                    write.done.set_result(None)

    def _waiting(self) -> Iterator[_Write]:
        while not self._queue.empty():
            write = self._queue.get()
            if write is None:
                self._queue.put(None)
                return
            yield write

    @staticmethod
    def _refuse(connection: sqlite3.Connection, batch: Sequence[_Write], error: sqlite3.Error) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for write in batch:
            write.done.set_exception(
                StoreError(f"the journal could not be written: {error}; nothing was kept")
            )

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Result of a query on the last committed state."""
        return self._reader.execute(sql, values).fetchall()

    def last(self) -> int:
        """Highest sequence number that was ever given."""
        return int(self.rows("SELECT coalesce(max(seq), 0) FROM journal")[0][0])

    def between(self, kind: type[N], after: int, upto: int) -> list[N]:
        """Nouns of a kind with after < seq <= upto whose bodies are still here, oldest first."""
        found = self.rows(
            "SELECT body FROM journal WHERE kind = ? AND seq > ? AND seq <= ? AND body IS NOT NULL ORDER BY seq",
            (table_of(kind), after, upto),
        )
        decoder = msgspec.msgpack.Decoder(kind)
        return [decoder.decode(body) for (body,) in found]

    def find(self, kind: type[Noun], ids: Sequence[str]) -> dict[str, tuple[int, bytes | None]]:
        """id -> (seq, body) of those that exist; a body of None has moved to the lake."""
        out: dict[str, tuple[int, bytes | None]] = {}
        for start in range(0, len(ids), MAX_VARIABLES):
            part = ids[start : start + MAX_VARIABLES]
            marks = ",".join("?" * len(part))
            sql = f"SELECT id, seq, body FROM journal WHERE kind = ? AND id IN ({marks})"  # noqa: S608
            out |= {i: (seq, body) for i, seq, body in self.rows(sql, (table_of(kind), *part))}
        return out

    def close(self) -> None:
        """Write what waits, then close every connection. Calling it twice is harmless."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        for connection in self._opened:
            connection.close()
        self._opened.clear()


def _exchange_of(noun: Noun) -> str:
    return noun.exchange if isinstance(noun, Signal) else ""


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, SCHEMA_VERSION):
        raise StoreError(
            f"{path} has schema {version}, this release reads {SCHEMA_VERSION}; upgrade openflywheel"
        )
    connection.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _commit(connection: sqlite3.Connection, batch: Sequence[_Write]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for write in batch:
        for kind, id, body, exchange in write.rows:
            at = connection.execute(
                "INSERT OR IGNORE INTO journal(kind, id, body) VALUES (?, ?, ?)", (kind, id, body)
            )
            if exchange and at.rowcount:
                connection.execute("INSERT INTO heard(exchange, seq) VALUES (?, ?)", (exchange, at.lastrowid))
        for sql, values in write.statements:
            connection.execute(sql, values)
    connection.execute("COMMIT")

"""What is written while serving: one SQLite file in WAL mode with group commit.

A single thread writes; whatever waits in its queue becomes one transaction, so that a hundred answers
cost one fsync. A call returns after the commit: what was acknowledged survives SIGKILL and (synchronous =
FULL) a power cut. Rows are keyed by kind and id: writing one again changes nothing.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import cache
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
CREATE TABLE IF NOT EXISTS cursors(
    room TEXT PRIMARY KEY, seq INTEGER NOT NULL, passage TEXT NOT NULL, state TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS once BEFORE UPDATE ON cursors WHEN NEW.passage = OLD.passage OR NEW.seq < OLD.seq
    BEGIN SELECT RAISE(ABORT, 'another process has made this passage meanwhile'); END;
CREATE TABLE IF NOT EXISTS questions(
    exchange TEXT PRIMARY KEY, task TEXT NOT NULL, why TEXT NOT NULL, asked REAL NOT NULL, answered REAL);
"""
PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
MAX_VARIABLES = 900  # SQLite's oldest limit of bound variables in one statement is 999
IDLE_READERS = 8  # connections kept open for reading; more are opened, and closed again, under load


class _Write(Struct):
    rows: list[tuple[str, str, bytes, str]]
    statements: Sequence[Statement]
    done: "Future[None]"


class Journal:
    """The append-only log of nouns, with the cursors of the rooms beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: SimpleQueue[_Write | None] = SimpleQueue()
        self._gate = threading.Lock()  # nothing enters the queue behind its end
        self._closed = False
        self._readers: list[sqlite3.Connection] = []
        writer = _connect(path, prepare=True)
        self._thread = threading.Thread(target=self._run, args=(writer,), name="journal", daemon=True)
        self._thread.start()

    def write(self, nouns: Iterable[Noun], statements: Sequence[Statement] = ()) -> None:
        """Append nouns and run statements in one transaction; returns once it is on disk."""
        write = _Write([_row(noun) for noun in nouns], statements, Future())
        with self._gate:
            self._check_open()
            self._queue.put(write)
        write.done.result()

    def _check_open(self) -> None:
        if self._closed or not self._thread.is_alive():  # threads do not follow into a forked process
            raise StoreError(f"the store at {self.path.parent} is closed in this process; open it again")

    def _run(self, connection: sqlite3.Connection) -> None:
        while (first := self._queue.get()) is not None:
            self._keep(connection, [first, *self._waiting()])
        connection.close()

    def _waiting(self) -> Iterator[_Write]:
        while not self._queue.empty():
            write = self._queue.get()
            if write is None:
                self._queue.put(None)
                return
            yield write

    def _keep(self, connection: sqlite3.Connection, batch: Sequence[_Write]) -> None:
        """Commit a batch; when it fails, each write on its own, so that one cannot fail the others."""
        try:
            _commit(connection, batch)
        except Exception as error:  # the writer must outlive any bad value: whoever sent it is told
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(batch) == 1:
                batch[0].done.set_exception(
                    StoreError(f"the journal could not be written: {error}; nothing was kept")
                )
                return
            for write in batch:
                self._keep(connection, [write])
        else:
            for write in batch:
                write.done.set_result(None)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Result of a query on the last committed state."""
        connection = self._borrow()
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the journal {self.path} could not be read: {error}") from error
        finally:
            self._give_back(connection)

    def _borrow(self) -> sqlite3.Connection:
        with self._gate:
            self._check_open()
            if self._readers:
                return self._readers.pop()
        return _connect(self.path)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._gate:
            if not self._closed and len(self._readers) < IDLE_READERS:
                self._readers.append(connection)
                return
        connection.close()

    def last(self) -> int:
        """Highest sequence number that was ever given."""
        return int(self.rows("SELECT coalesce(max(seq), 0) FROM journal")[0][0])

    def between(self, kind: type[N], after: int, upto: int) -> list[N]:
        """Nouns of a kind with after < seq <= upto whose bodies are still here, oldest first."""
        found = self.rows(
            "SELECT body FROM journal WHERE kind = ? AND seq > ? AND seq <= ? AND body IS NOT NULL "
            "ORDER BY seq",
            (table_of(kind), after, upto),
        )
        decode = decoder_of(kind).decode
        return [decode(body) for (body,) in found]

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
        with self._gate:
            if not self._closed:
                self._queue.put(None)
            self._closed = True
            readers, self._readers = self._readers, []
        self._thread.join()
        for connection in readers:
            connection.close()


@cache
def decoder_of(kind: type[N]) -> "msgspec.msgpack.Decoder[N]":
    """What turns a kind's bodies back into nouns."""
    return msgspec.msgpack.Decoder(kind)


def _row(noun: Noun) -> tuple[str, str, bytes, str]:
    """A noun as it is kept. It is read back at once: a row that nobody can read would stop every reader."""
    kind = type(noun)
    try:
        body = msgspec.msgpack.encode(noun)
        decoder_of(kind).decode(body)
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError) as error:
        raise StoreError(f"this {table_of(kind)} cannot be kept: {error}") from error
    return table_of(kind), noun.id, body, noun.exchange if isinstance(noun, Signal) else ""


def _connect(path: Path, prepare: bool = False) -> sqlite3.Connection:
    try:
        with ExitStack() as undo:
            connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            undo.callback(connection.close)
            connection.executescript(PRAGMAS)
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

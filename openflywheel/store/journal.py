"""What is written while serving: one SQLite file in WAL mode with group commit (see group_commit.py).

A call returns after the commit: what was acknowledged survives SIGKILL and, with durability "disk"
(synchronous = FULL), a power cut. Rows are keyed by kind and id: writing one again changes nothing.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Call, Exchange, Noun, Signal, table_of
from openflywheel.store.group_commit import GroupCommit, Row, Statement, Told, Write

N = TypeVar("N", bound=Noun)
Durability = Literal["disk", "process"]

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
    exchange TEXT PRIMARY KEY, task TEXT NOT NULL, why TEXT NOT NULL, asked REAL NOT NULL, answered REAL);
"""
SYNCHRONOUS = {"disk": "FULL", "process": "NORMAL"}  # NORMAL: a commit waits for no fsync
PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous={}; PRAGMA secure_delete=ON;"
MAX_VARIABLES = 900  # SQLite's oldest limit of bound variables in one statement is 999
IDLE_READERS = 8  # connections kept open for reading; more are opened, and closed again, under load


class Journal:
    """The append-only log of nouns, with the cursors of the rooms beside it."""

    def __init__(self, path: Path, durability: Durability = "disk") -> None:
        self.path = path
        self._gate = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._commits = GroupCommit(_Writer(_connect(path, durability, prepare=True)))

    def write(self, nouns: Iterable[Noun], statements: Sequence[Statement] = ()) -> None:
        """Append nouns and run statements in one transaction; returns once it is kept. Raises StoreError."""
        done: Future[StoreError | None] = Future()
        self.submit(nouns, statements, done.set_result)
        if error := done.result():
            raise error

    def submit(self, nouns: Iterable[Noun], statements: Sequence[Statement], told: Told) -> None:
        """The same without waiting: `told` is called by the writer's thread. Raises StoreError."""
        if not self._commits.put(Write([_row(noun) for noun in nouns], statements, told)):
            self._check_open()

    def _check_open(self) -> None:
        if not self._commits.open:
            raise StoreError(f"the store at {self.path.parent} is closed in this process; open it again")

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
            if self._commits.open and len(self._readers) < IDLE_READERS:
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

    def named(self, kind: type[Noun], name: str) -> list[str]:
        """Ids of the nouns of a kind that go by a name, oldest first.

        Signals are named by what they are about, exchanges by their episode, calls by the provider's id.
        """
        sql = (
            "SELECT journal.id FROM named JOIN journal USING (seq) "
            "WHERE named.kind = ? AND named.name = ? ORDER BY seq"
        )
        return [id for (id,) in self.rows(sql, (table_of(kind), name))]

    def close(self) -> None:
        """Write what waits, then close every connection. Calling it twice is harmless."""
        self._commits.close()
        with self._gate:
            readers, self._readers = self._readers, []
        for connection in readers:
            connection.close()


@cache
def decoder_of(kind: type[N]) -> "msgspec.msgpack.Decoder[N]":
    """What turns a kind's bodies back into nouns."""
    return msgspec.msgpack.Decoder(kind)


def _row(noun: Noun) -> Row:
    """A noun as it is kept. It is read back at once: a row that nobody can read would stop every reader."""
    kind = type(noun)
    try:
        body = msgspec.msgpack.encode(noun)
        decoder_of(kind).decode(body)
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError) as error:
        raise StoreError(f"this {table_of(kind)} cannot be kept: {error}") from error
    return Row(table_of(kind), noun.id, body, _names(noun))


def _names(noun: Noun) -> tuple[str, ...]:
    """What a noun is found by besides its id."""
    match noun:
        case Signal():
            return (noun.about,)
        case Exchange():
            return (noun.episode,)
        case Call(reply=reply) if reply:
            return (reply,)
    return ()


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

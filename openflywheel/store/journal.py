"""What is written while serving: a log with group commit (group_commit.py) in a database (backend.py).

A call returns after the commit: what was acknowledged survives SIGKILL and, with durability "disk", a power
cut. Rows are keyed by kind and id: writing one again changes nothing.
"""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

import msgspec

from openflywheel.base.errors import StoreError
from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Call, Exchange, Noun, Signal, table_of
from openflywheel.store.backend import Backend, Reader
from openflywheel.store.group_commit import GroupCommit, Row, Statement, Told, Write

N = TypeVar("N", bound=Noun)

MAX_VARIABLES = 900  # SQLite's oldest limit of bound variables in one statement is 999
LONGEST_NAME = 500  # characters; a row of PostgreSQL's index holds 2,700 bytes
IDLE_READERS = 8  # connections kept open for reading; more are opened, and closed again, under load


class Journal:
    """The append-only log of nouns, with the cursors of the rooms beside it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._gate = threading.Lock()
        self._readers: list[Reader] = []
        self._commits = GroupCommit(backend.writer())

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
            raise StoreError(f"the journal {self._backend.shown} is closed in this process; open it again")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Result of a query on the last committed state."""
        reader = self._borrow()
        try:
            return reader.rows(sql, values)
        finally:
            self._give_back(reader)

    def _borrow(self) -> Reader:
        with self._gate:
            self._check_open()
            if self._readers:
                return self._readers.pop()
        return self._backend.reader()

    def _give_back(self, reader: Reader) -> None:
        with self._gate:
            if self._commits.open and len(self._readers) < IDLE_READERS:
                self._readers.append(reader)
                return
        reader.close()

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
        return [id for (id,) in self.rows(sql, (table_of(kind), name_key(name)))]

    def close(self) -> None:
        """Write what waits, then close every connection. Calling it twice is harmless."""
        self._commits.close()
        with self._gate:
            readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()


@cache
def decoder_of(kind: type[N]) -> "msgspec.msgpack.Decoder[N]":
    """What turns a kind's bodies back into nouns."""
    return msgspec.msgpack.Decoder(kind)


def name_key(name: str) -> str:
    """What a noun is found by in the table `named`: a long name stands under its hash."""
    return name if len(name) <= LONGEST_NAME else content_id(name)


def _row(noun: Noun) -> Row:
    """A noun as it is kept. It is read back at once: a row that nobody can read would stop every reader."""
    kind = type(noun)
    try:
        body = msgspec.msgpack.encode(noun)
        decoder_of(kind).decode(body)
    except (msgspec.ValidationError, TypeError, ValueError, OverflowError) as error:
        raise StoreError(f"this {table_of(kind)} cannot be kept: {error}") from error
    return Row(table_of(kind), noun.id, body, tuple(map(name_key, _names(noun))))


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

"""Connections to PostgreSQL that outlive its restarts: one kind for reading, one for writing."""

import logging
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.adapt import Buffer, Loader
from psycopg.types.string import StrBinaryDumper, StrDumperUnknown

from openflywheel.base.errors import StoreError
from openflywheel.store.group_commit import Row, Unreachable, Write

T = TypeVar("T")

logging.getLogger("psycopg").setLevel(logging.ERROR)  # what a pipeline warns of it also raises

# A sequence gives its numbers before the commit: of two transactions at once the later number could be seen
# first, and a cursor that has passed it would never see the earlier one. So writers take turns, from the
# first number to the end of the commit. An advisory lock leaves readers and autovacuum alone.
TAKE_TURNS = b"SELECT pg_advisory_xact_lock(hashtext('openflywheel'), 'journal'::regclass::oid::int)"
# %b: lists go in binary, which takes a quarter of the client's CPU time that text takes.
INSERT = b"""
WITH fresh AS (
    INSERT INTO journal(kind, id, body)
    SELECT kind, id, body
    FROM unnest(%b::text[], %b::text[], %b::bytea[]) WITH ORDINALITY AS given(kind, id, body, place)
    ORDER BY place ON CONFLICT DO NOTHING RETURNING kind, id, seq)
INSERT INTO named(kind, name, seq)
SELECT kind, name, seq FROM fresh JOIN unnest(%b::text[], %b::text[], %b::text[]) AS n(kind, id, name)
USING (kind, id) ON CONFLICT DO NOTHING
"""


class Line:
    """A connection that is made when it is needed, and made anew when the server has gone away meanwhile."""

    def __init__(self, connect: "Callable[[], Connection[Any]]") -> None:
        self._connect, self._owner = connect, os.getpid()
        self._connection: Connection[Any] | None = None

    def do(self, work: "Callable[[Connection[Any]], T]") -> T:
        """Do some work, and once more when the connection broke: doing it twice must be harmless."""
        try:
            return work(self._alive())
        except psycopg.Error:
            if not self.broken:
                raise
        return work(self._alive())

    @property
    def broken(self) -> bool:
        return self._connection is None or self._connection.closed

    def _alive(self) -> "Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def close(self) -> None:
        """Hang up, unless the line belongs to the process that this one was forked from."""
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()


class Reader:
    """What reads (backend.Reader)."""

    def __init__(self, line: Line, shown: str) -> None:
        self._line, self._shown = line, shown

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        query = _placed(sql)
        try:
            return self._line.do(lambda c: c.execute(query, values, binary=True).fetchall())
        except psycopg.Error as error:
            raise StoreError(f"the journal {self._shown} could not be read: {said(error)}") from error

    def close(self) -> None:
        self._line.close()


class Writer:
    """What writes (group_commit.Writer): two round trips a batch, the second is the commit."""

    def __init__(self, line: Line, shown: str) -> None:
        self._line, self._shown = line, shown

    def commit(self, batch: Sequence[Write]) -> None:
        try:
            connection = self._line.do(lambda c: _send(c, batch))
        except psycopg.Error as error:
            raise self._refusal(error, "nothing was kept") from error
        try:
            connection.commit()
        except psycopg.Error as error:
            unknown = "whether it was kept is not known; to write it again is harmless"
            raise self._refusal(error, unknown) from error

    def _refusal(self, error: Exception, outcome: str) -> StoreError:
        if self._line.broken:
            return Unreachable(f"the journal {self._shown} could not be written: {said(error)}; {outcome}")
        return StoreError(said(error))

    def close(self) -> None:
        self._line.close()


def _send(connection: "Connection[Any]", batch: Sequence[Write]) -> "Connection[Any]":
    """Everything but the commit, as one round trip. What fails is undone."""
    try:
        with connection.pipeline():
            connection.execute(TAKE_TURNS)
            _insert(connection, batch)
            for write in batch:
                for sql, values in write.statements:
                    connection.execute(_placed(sql), values)
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    return connection


def _insert(connection: "Connection[Any]", batch: Sequence[Write]) -> None:
    """One statement for all rows of a batch; of those with one kind and id the first counts."""
    first: dict[tuple[str, str], Row] = {}
    for write in batch:
        for row in write.rows:
            first.setdefault((row.kind, row.id), row)
    if not first:
        return
    kinds, ids = zip(*first, strict=True)
    names = [(row.kind, row.id, name) for row in first.values() for name in row.names]
    named = [[name[part] for name in names] for part in range(3)]
    connection.execute(INSERT, (list(kinds), list(ids), [row.body for row in first.values()], *named))


def said(error: Exception) -> str:
    """The first line of what the server or the driver says; the rest is context for programmers."""
    return (str(error).splitlines() or [repr(error)])[0]


@lru_cache(maxsize=256)
def _placed(sql: str) -> bytes:
    """SQL with the driver's marks for values."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _escaped(text: str) -> bytes:
    """Text in PostgreSQL cannot hold NUL: it is written as SUB and 0, SUB itself as SUB and 1."""
    return text.replace("\x1a", "\x1a1").replace("\0", "\x1a0").encode()


class _Dumper(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return _escaped(obj)


class _BinaryDumper(StrBinaryDumper):
    def dump(self, obj: str) -> Buffer | None:
        return _escaped(obj)


class _Loader(Loader):
    def load(self, data: Buffer) -> str:
        return str(data, "utf-8").replace("\x1a0", "\0").replace("\x1a1", "\x1a")


class _BinaryLoader(_Loader):
    format = psycopg.pq.Format.BINARY


def speak(connection: "Connection[Any]") -> None:
    """Let a connection carry every text, NUL included."""
    connection.adapters.register_dumper(str, _BinaryDumper)
    connection.adapters.register_dumper(str, _Dumper)  # the last is the default: it fits every type of column
    connection.adapters.register_loader("text", _Loader)
    connection.adapters.register_loader("text", _BinaryLoader)

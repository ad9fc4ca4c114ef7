"""The journal in PostgreSQL: several gateways, on one machine or many, share one log."""

import re
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import DuplicateDatabase, UniqueViolation
from psycopg.sql import SQL, Identifier

from openflywheel.base.errors import StoreError
from openflywheel.base.ids import content_id
from openflywheel.store.backend import Durability, made_once, without_password
from openflywheel.store.wire import Line, Reader, Writer, said, speak

SCHEMA_VERSION = 1
# "C": compared byte by byte, as in SQLite, whatever language the database was made for.
SCHEMA = """
CREATE TABLE journal(
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL, body BYTEA, UNIQUE(kind, id));
CREATE INDEX journal_kind ON journal(kind, seq);
CREATE TABLE named(
    kind TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL,
    PRIMARY KEY(kind, name, seq));
CREATE TABLE cursors(room TEXT PRIMARY KEY, seq BIGINT NOT NULL, passage TEXT NOT NULL, state TEXT NOT NULL);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'another process has made this passage meanwhile'; END $$;
CREATE TRIGGER once BEFORE UPDATE ON cursors FOR EACH ROW
    WHEN (NEW.passage = OLD.passage OR NEW.seq < OLD.seq) EXECUTE FUNCTION refuse();
CREATE TABLE questions(
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, exchange TEXT NOT NULL UNIQUE, task TEXT NOT NULL,
    why TEXT NOT NULL, asked DOUBLE PRECISION NOT NULL, answered DOUBLE PRECISION);
CREATE TABLE meta(name TEXT PRIMARY KEY, value BYTEA NOT NULL);
"""
ADDED = """
CREATE TABLE IF NOT EXISTS inbox(
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL, mime TEXT NOT NULL, body BYTEA NOT NULL, at DOUBLE PRECISION NOT NULL,
    UNIQUE(source, name));
"""  # what an older release did not have
SYNCHRONOUS = {"disk": "on", "process": "off"}  # off: a commit waits for no fsync of the server
DEFAULTS = {
    "connect_timeout": 10,  # seconds
    "tcp_user_timeout": 30_000,  # milliseconds: a server that vanished is missed, not waited for
    "keepalives_idle": 30,  # seconds
    "client_encoding": "utf8",
    "fallback_application_name": "openflywheel",
}
LONGEST = 63  # bytes of a name in PostgreSQL; what is longer is cut without a word
RESERVED = re.compile(r"[^:]+://[^:/@]*:.*[/?#@].*@")  # a password in which these are not written as %2F ...


class Postgres:
    """The backend of a journal in a schema of its own; one for each name of a wheel."""

    shared = True

    def __init__(self, url: str, name: str, folder: Path, durability: Durability = "disk") -> None:
        self._schema = f"flywheel_{name}" if name else "flywheel"
        self.shown, self._folder, self._durability = without_password(url), folder, durability
        if len(self._schema.encode()) > LONGEST:
            raise StoreError(
                f"the name {name!r} is too long for {self.shown}; it may have {LONGEST - 9} bytes"
            )
        self._parameters = _parameters(url)
        self._secret = b""

    def writer(self) -> Writer:
        if (self._folder / "live.db").exists():
            raise StoreError(
                f"{self._folder} has a journal already, live.db: take  database: {self.shown}  out of "
                "flywheel.yaml, or begin with another store"
            )
        try:
            with self._first_connection() as connection:
                self._secret = _prepare(connection, self._schema)
        except psycopg.Error as error:
            raise _unusable(self.shown, error) from error
        self._bind()
        return Writer(Line(self._connect_to_write), self.shown)

    def _bind(self) -> None:
        """This folder's lake is filled by journal numbers: under another journal it would miss rows."""
        id = content_id(self._secret).encode()
        if made_once(self._folder / "database", id) != id:
            raise StoreError(
                f"{self._folder} belongs to a journal in another database than {self.shown}: "
                "correct  database:  or  name:  in flywheel.yaml, or begin with another store"
            )

    def reader(self) -> Reader:
        return Reader(Line(self._connect), self.shown)

    def secret(self) -> bytes:
        return self._secret

    def _connect(self) -> "Connection[Any]":
        connection = psycopg.connect(**self._parameters, autocommit=True)
        speak(connection)
        connection.execute(SQL("SET search_path TO {}").format(Identifier(self._schema)))
        return connection

    def _first_connection(self) -> "Connection[Any]":
        """A connection to the database, which is made if need be."""
        try:
            return self._connect()
        except psycopg.OperationalError:
            if _lacks(self._parameters):
                _create(self._parameters)
        return self._connect()  # also when another process has made it in between

    def _connect_to_write(self) -> "Connection[Any]":
        connection = self._connect()
        connection.execute(f"SET synchronous_commit = {SYNCHRONOUS[self._durability]}".encode())
        connection.autocommit = False
        connection.isolation_level = IsolationLevel.READ_COMMITTED  # sees what was kept before its turn came
        return connection


def reach(url: str) -> str:
    """The server's version, and whether the database is there already. Raises StoreError."""
    parameters = _parameters(url)
    try:
        with psycopg.connect(**parameters) as connection:
            return f"PostgreSQL {connection.info.parameter_status('server_version')}"
    except psycopg.Error as error:
        if _lacks(parameters):
            return "PostgreSQL; the database will be made when the wheel is opened"
        raise _unusable(without_password(url), error) from error


def _parameters(url: str) -> dict[str, Any]:
    """What the driver connects with. Its own errors could show a part of the password."""
    shown, remedy = without_password(url), "correct  database:  in flywheel.yaml"
    if RESERVED.match(url):
        marks = "its password must have / ? # @ written as %2F %3F %23 %40"
        raise StoreError(f"the database {shown} cannot be used: {marks}; {remedy}")
    try:
        return DEFAULTS | conninfo_to_dict(re.sub(r"^[^:]+:", "postgresql:", url))
    except psycopg.ProgrammingError as error:
        raise StoreError(f"the database {shown} cannot be used: {said(error)}; {remedy}") from None


def _unusable(shown: str, error: Exception) -> StoreError:
    return StoreError(
        f"the database {shown} cannot be used: {said(error)}; start it, or correct  database:  in "
        "flywheel.yaml"
    )


def _lacks(parameters: dict[str, Any]) -> bool:
    """Is the server there, but not the database?"""
    try:
        with psycopg.connect(**parameters | {"dbname": "postgres"}) as server:
            known = server.execute("SELECT datname FROM pg_database").fetchall()
    except psycopg.OperationalError:
        return False
    return "dbname" in parameters and (parameters["dbname"],) not in known


def _create(parameters: dict[str, Any]) -> None:
    """Make the database; harmless when another process makes it at the same time."""
    name = Identifier(parameters["dbname"])
    with (
        psycopg.connect(**parameters | {"dbname": "postgres"}, autocommit=True) as server,
        suppress(DuplicateDatabase, UniqueViolation),
    ):
        server.execute(SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(name))


def _prepare(connection: "Connection[Any]", schema: str) -> bytes:
    """Make what is not there; returns the key under which people are named."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('openflywheel'))")  # of many, one makes it
        if connection.execute("SELECT to_regclass('meta')").fetchone() == (None,):
            connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))
            connection.execute(SCHEMA)
            values = [("version", str(SCHEMA_VERSION).encode()), ("key", token_bytes(32))]
            connection.cursor().executemany("INSERT INTO meta(name, value) VALUES (%s, %s)", values)
        connection.execute(ADDED)
        meta: dict[str, bytes] = dict(
            connection.execute("SELECT name, value FROM meta", binary=True).fetchall()
        )
    if (found := int(meta["version"])) != SCHEMA_VERSION:
        raise StoreError(
            f"{schema} has schema {found}, this release reads {SCHEMA_VERSION}; upgrade openflywheel"
        )
    return bytes(meta["key"])

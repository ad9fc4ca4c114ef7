"""A database that is only read: any URL of SQLAlchemy, opened so that nothing can be written through it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from openflywheel.base.errors import FlywheelError, SettingsError, SourceFailed

# Said to the server itself, beside the rollback: a function that a SELECT calls could write, too.
READ_ONLY = {
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = on",
}
MISTAKE = re.compile(r"no such|syntax error|incomplete input|readonly")  # SQLite's are all of one kind
SHORT = 300  # characters of a database's own words in an error
EXAMPLE = "postgresql://user:password@host/database or sqlite:///file.db"


class Database:
    """A database by its URL. A relative path of SQLite starts in `folder`. Raises SettingsError."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = _placed(_parsed(url), folder)
        self.shown = self._url.render_as_string(hide_password=True)
        self.uri = _nobodys(self._url).render_as_string()
        self._engine = self._made()

    def _made(self) -> Engine:
        try:
            engine = create_engine(_read_only(self._url), poolclass=NullPool)
        except ModuleNotFoundError as error:
            raise SettingsError(
                f"{self.shown} needs the driver {error.name!r}; install it, or name one that is installed "
                "in the url, as in mysql+pymysql://..."
            ) from None
        except (NoSuchModuleError, ArgumentError) as error:
            raise SettingsError(f"{self.shown}: {self._clean(str(error))}; write {EXAMPLE}") from None
        said = READ_ONLY.get(engine.dialect.name)
        if said:
            event.listen(engine, "connect", lambda raw, _: _say(raw, said))
        return engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose transaction is rolled back.

        Raises SourceFailed when the database does not answer or refuses, SettingsError for what it cannot do.
        """
        try:
            with self._engine.connect() as connection, connection.begin() as transaction:
                yield connection
                transaction.rollback()
        except DBAPIError as error:
            raise self._explained(error) from None
        except SQLAlchemyError as error:
            raise SettingsError(f"{self.shown}: {self._clean(str(error))}") from None

    def _explained(self, error: DBAPIError) -> FlywheelError:
        said = f"{self.shown}: {self._clean(str(error.orig))}"
        if isinstance(error, OperationalError | InterfaceError) and not MISTAKE.search(said):
            return SourceFailed(f"{said}; is the URL right, and may this user read? then: flywheel turn")
        return SettingsError(said)

    def _clean(self, said: str) -> str:
        """The first line of an error, without the password."""
        password = str(self._url.password or "")
        line = said.strip().partition("\n")[0][:SHORT]
        return line.replace(password, "***") if password else line


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # their words may hold the password
        raise SettingsError(f"the url is not one of a database; write {EXAMPLE}") from None


def _nobodys(url: URL) -> URL:
    """The URL without who reads it and how: what a Record may show."""
    return URL.create(url.get_backend_name(), host=url.host, port=url.port, database=url.database)


def _placed(url: URL, folder: Path) -> URL:
    if url.get_backend_name() != "sqlite" or not url.database:
        return url
    place = folder / url.database
    if not place.is_file():
        raise SettingsError(f"there is no {place}; paths start in the folder of flywheel.yaml")
    return url.set(database=str(place))


def _read_only(url: URL) -> URL:
    if url.get_backend_name() != "sqlite" or not url.database:
        return url
    place = Path(url.database).absolute().as_uri()
    return url.set(database=place, query={**url.query, "mode": "ro", "uri": "true"})


def _say(raw: object, said: str) -> None:
    """Say something on a new connection, in a transaction of its own."""
    cursor = raw.cursor()  # type: ignore[attr-defined]
    cursor.execute(said)
    cursor.close()
    raw.commit()  # type: ignore[attr-defined]

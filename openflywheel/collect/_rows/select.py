"""What is selected from a database: a table by its name, or a user's own query; all of it, or what is new."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, MetaData, Result, Select, Table, func, inspect, text
from sqlalchemy import select as sql_select
from sqlalchemy.exc import NoSuchTableError

from openflywheel.base.errors import SettingsError, suggest

BATCH = 1_000  # rows that are held in memory
PARSED: dict[type, Callable[[str], Any]] = {datetime: datetime.fromisoformat, date: date.fromisoformat}

Value = int | float | str | None


class Selected(Struct, frozen=True, kw_only=True):
    """A table or a query, and the column `cursor` that grows; `start` is where it begins the first time."""

    table: str = ""
    query: str = ""
    cursor: str = ""
    start: Value = None

    def execute(self, connection: Connection, last: Any) -> Result[Any]:
        """The rows from `last` on, in the order of the cursor, streamed. Raises SettingsError."""
        options = {"stream_results": True, "yield_per": BATCH}
        if self.table:
            return connection.execute(self._of_table(connection, last), execution_options=options)
        self._complete()
        given = {"last": self.start if last is None else last} if self.cursor else {}
        said = self.query.strip().rstrip(";")
        return connection.execute(text(said), given, execution_options=options)

    def count(self, connection: Connection, last: Any) -> int | None:
        """How many rows there are to read; None for a query."""
        if not self.table:
            return None
        rows = self._of_table(connection, last).order_by(None).subquery()
        return connection.execute(sql_select(func.count()).select_from(rows)).scalar_one()

    def _of_table(self, connection: Connection, last: Any) -> Select[Any]:
        table = reflected(connection, self.table)
        if not self.cursor:
            return sql_select(table)
        if self.cursor not in table.c:
            raise SettingsError(
                f"{self.table} has no column {self.cursor!r}; {suggest(self.cursor, table.c.keys())}"
            )
        grows = table.c[self.cursor]
        wanted = sql_select(table).order_by(grows)
        first = _typed(self.start, grows.type.python_type) if last is None else last
        return wanted if first is None else wanted.where(grows >= first)

    def _complete(self) -> None:
        """Raises SettingsError unless a query with a cursor says where it goes on, and from what."""
        if self.cursor and ":last" not in self.query:
            raise SettingsError(
                f"sql has a cursor, but its query does not use it; write: WHERE {self.cursor} >= :last "
                f"ORDER BY {self.cursor}"
            )
        if self.cursor and self.start is None:
            raise SettingsError("sql: say with what :last begins the first time; for example start: 0")


def reflected(connection: Connection, name: str) -> Table:
    """A table or view, "table" or "schema.table", as the database describes it. Raises SettingsError."""
    schema, _, plain = name.rpartition(".")
    try:
        return Table(plain, MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False)
    except NoSuchTableError:
        raise SettingsError(f"there is no table {name!r}; {suggest(name, tables(connection))}") from None


def tables(connection: Connection) -> list[str]:
    """The names of the tables and views that the connection's user finds by default."""
    there = inspect(connection)
    return [*there.get_table_names(), *there.get_view_names()]


def _typed(start: Value, kind: type) -> Any:
    return PARSED[kind](start) if isinstance(start, str) and kind in PARSED else start

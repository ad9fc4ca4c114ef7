"""Rows of a database: any URL of SQLAlchemy, read only, and with a column that grows only what is new."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.cursor import packed, unpacked
from openflywheel.collect._rows.database import Database
from openflywheel.collect._rows.record import Columns, Subject, record
from openflywheel.collect._rows.select import Selected, Value, reflected, tables
from openflywheel.collect._streams import Stream


def sql(
    gap: Gap,
    *,
    url: str,
    table: str = "",
    query: str = "",
    text: str | tuple[str, ...] = "text",
    label: str = "label",
    uri: str = "",
    person: str = "",
    published: str = "",
    meta: tuple[str, ...] | None = None,
    cursor: str = "",
    start: Value = None,
    most: int = 10_000,
    folder: Path,
    state: dict[str, Any],
    subject: Subject,
) -> Iterator[Record | Drop]:
    """Records of the rows of a `table` (or "schema.table"), or of a SELECT of your own (`query`).

    `url` is SQLAlchemy's ("postgresql://...", "sqlite:///desk.db"); the driver has to be installed. `text`
    names the column of the text, or several that are joined; `label`, `uri`, `person` (whom the row is
    about: only an opaque key of it is kept) and `published` name others. `meta` names those that are kept
    as facts; without it, all others are.

    With a `cursor`, a column that grows (a number, a time of change), each turn reads from the last value on:
    that value once more, as rows with the same one may have come since; what is stored already is dropped. A
    query then uses it itself: "... WHERE changed >= :last ORDER BY changed", with `start` for the first time.
    `most` new rows are read in a turn, and those that share the cursor of the last one. Without a cursor
    every turn reads from the beginning.

    Raises SettingsError for a wrong URL, table, column or query; SourceFailed when the database fails.
    """
    columns = Columns(text=text, label=label, uri=uri, person=person, published=published, meta=meta)
    selected = _selected(url, table, query, cursor, start, folder)
    database, growing = (
        Database(url, folder),
        _Growing(state.setdefault(gap.task, {}), selected, columns, most),
    )
    with database.reading() as connection, selected.execute(connection, growing.last) as result:
        columns.require(dict.fromkeys(result.keys()), table or "the query")
        place = f"{database.uri}#{table}" if table else database.uri
        for row in map(dict, result.mappings()):
            if not growing.take(row):
                return
            yield growing.wrong(row) or record(row, gap, columns, source="sql", uri=place, subject=subject)
        growing.end()


class _Growing:
    """How far the cursor's column was read; it moves on between two values, so that no tie is cut.

    `state` is the one of a task: labels are a task's, so each reads the rows for itself.
    """

    def __init__(self, state: dict[str, Any], selected: Selected, columns: Columns, most: int) -> None:
        # A URL may be read by several sources, whose states would else be the same.
        name = content_id(msgspec.json.encode([selected, columns]))[:12]
        self._kept = state.setdefault(name, {}) if selected.cursor else {}
        self._cursor, self._sorted = selected.cursor, bool(selected.table)
        self.last = unpacked(self._kept.get("last"))
        self._value: Any = None
        self._left = most

    def take(self, row: Mapping[str, Any]) -> bool:
        """Is the row still to be read? After `most`, only if it shares the cursor of the one before."""
        value = row[self._cursor] if self._cursor else None
        if value != self._value or not self._cursor:
            self._check(value)
            self.end()
            if self._left <= 0:
                return False
            self._value = self._value if value is None else value
        self._left -= value is None or value != self.last
        return True

    def end(self) -> None:
        """All rows with this value have been read."""
        if self._value is not None:
            self._kept["last"] = packed(self._value)

    def wrong(self, row: Mapping[str, Any]) -> Drop | None:
        """Why a row cannot be placed."""
        return Drop("row without a cursor") if self._cursor and row[self._cursor] is None else None

    def _check(self, value: Any) -> None:
        """Raises SettingsError for rows in another order; how texts are ordered only the database knows."""
        known = value is not None and self._value is not None and not isinstance(value, str)
        if known and not self._sorted and value < self._value:
            raise SettingsError(
                f"the query's rows are not in the order of {self._cursor}; add ORDER BY {self._cursor}"
            )


def check(
    *,
    url: str,
    table: str = "",
    query: str = "",
    text: str | tuple[str, ...] = "text",
    label: str = "label",
    cursor: str = "",
    start: Value = None,
    folder: Path,
) -> None:
    """Connect, and see whether the columns are there; reads no row."""
    selected = _selected(url, table, query, cursor, start, folder)
    with Database(url, folder).reading() as connection, selected.execute(connection, None) as result:
        Columns(text=text, label=label).require(dict.fromkeys(result.keys()), table or "the query")


def discover(
    gap: Gap,
    *,
    url: str,
    table: str = "",
    query: str = "",
    cursor: str = "",
    start: Value = None,
    folder: Path,
) -> Iterator[Stream]:
    """The table with its columns and how many rows it has; without a table or query, every table."""
    del gap
    with Database(url, folder).reading() as connection:
        if not table and not query:
            for name in tables(connection):
                yield Stream(name, columns=tuple(reflected(connection, name).c.keys()))
            return
        selected = Selected(table=table, query=query, cursor=cursor, start=start)
        with selected.execute(connection, None) as result:
            names = tuple(map(str, result.keys()))
        yield Stream(table or "query", selected.count(connection, None), columns=names)


def _selected(url: str, table: str, query: str, cursor: str, start: Value, folder: Path) -> Selected:
    """Raises SettingsError unless one of table and query is given."""
    if bool(table) == bool(query):
        with Database(url, folder).reading() as connection:
            there = ", ".join(tables(connection)[:20])
        raise SettingsError(f"sql needs a table or a query, and not both; tables: {there or 'none'}")
    return Selected(table=table, query=query, cursor=cursor, start=start)

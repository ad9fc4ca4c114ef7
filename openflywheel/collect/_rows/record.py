"""A row of any source as a Record: which column is the text, which the label, whom it is about."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.path import at

LONGEST = 1_000_000  # characters of a text; a book has about as many
LONGEST_FACT = 2_000  # characters of a column in meta; what is longer is no fact but another text

Subject = Callable[[str], str]
PLAIN = (str, int, float, Decimal, datetime, date, time, timedelta, UUID)


class Columns(Struct, frozen=True, kw_only=True):
    """The settings that sources of rows share; each names a column, or a path into it ("author.email").

    Several columns of `text` are joined by a line break. `person` is whom the row is about or by.
    `published` becomes meta["published"]. `meta` names the columns that are kept as facts; without it all
    plain ones are that no other setting names.
    """

    text: str | tuple[str, ...] = "text"
    label: str = "label"
    uri: str = ""
    person: str = ""
    published: str = ""
    meta: tuple[str, ...] | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of the text."""
        return (self.text,) if isinstance(self.text, str) else self.text

    def require(self, there: Mapping[str, Any], where: str) -> None:
        """Raises SettingsError when a column that a setting names is not there. `where` names the rows.

        The label's own default may be missing: then nothing is labelled.
        """
        others = [self.uri, self.person, self.published, *(self.meta or ())]
        for name in (*self.texts, *others, self.label if self.label != "label" else ""):
            if name and name not in there and name.partition(".")[0] not in there:
                raise SettingsError(f"{where}: there is no column {name!r}; {suggest(name, map(str, there))}")


def record(
    row: Mapping[str, Any], gap: Gap, columns: Columns, *, source: str, uri: str, subject: Subject
) -> Record | Drop:
    """The Record of a row, or why there is none. `uri` stands where the row has none of its own.

    A person is named by `subject` alone: neither the column nor another one that says the same is in meta.
    """
    text = "\n".join(said for name in columns.texts if (said := shown(at(row, name)).strip()))
    if not text:
        return Drop("no text")
    if len(text) > LONGEST:
        return Drop(f"text longer than {LONGEST:,} characters")
    label, person = _said(row, columns.label), _said(row, columns.person)
    return Record(
        text=text,
        source=source,
        uri=_said(row, columns.uri) or uri,
        subject=subject(person) if person else "",
        meta=facts(row, columns, person),
        labels={gap.task: label} if label and gap.task else {},
        labelled_by="seed" if label and gap.task else "",
    )


def facts(row: Mapping[str, Any], columns: Columns, person: str = "") -> dict[str, str]:
    """The columns of a row that are facts of the thing itself, as strings."""
    used = {name.partition(".")[0] for name in _named(columns)} | _named(columns)
    names = columns.meta if columns.meta is not None else [k for k in row if k not in used]
    found = {str(name): shown(at(row, name), nested=columns.meta is not None) for name in names}
    found["published"] = _said(row, columns.published) or found.get("published", "")
    return {k: v for k, v in found.items() if v and v != person and len(v) <= LONGEST_FACT}


def _said(row: Mapping[str, Any], name: str) -> str:
    """A column as text; "" where no column is named."""
    return shown(at(row, name)) if name else ""


def _named(columns: Columns) -> set[str]:
    named = (*columns.texts, columns.label, columns.uri, columns.person, columns.published)
    return {name for name in named if name}


def shown(value: Any, *, nested: bool = True) -> str:
    """A value as text; "" for None and for bytes.

    Moments are in ISO 8601, lists of plain values have commas between them; other nested values are JSON,
    or "" where they are not wanted. Halves of surrogate pairs, which no UTF-8 can hold, become "?".
    """
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, PLAIN):
        return str(value).encode("utf-8", "replace").decode()
    if isinstance(value, list | tuple) and all(isinstance(v, PLAIN) for v in value):
        return ", ".join(map(shown, value))
    return _json(value) if nested else ""


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value, order="deterministic").decode()
    except (TypeError, UnicodeEncodeError):  # a type of the database's own; a lone surrogate
        return str(value).encode("utf-8", "replace").decode()

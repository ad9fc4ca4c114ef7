"""A row of a table as a Record, with the facts in its object `meta`; what no fact can hold is said."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.record import LONGEST_FACT, Columns, Subject, facts, record, shown

META = "meta"
Row = Mapping[str, Any]


def things(
    row: Row, gap: Gap, columns: Columns, *, source: str, uri: str, subject: Subject
) -> Iterator[Record | Drop]:
    """The Record of a row behind a Drop for each value that it loses, or why there is none.

    The values of an object named `meta` are facts, as columns are; nested ones in it stand there as JSON.
    """
    found = record(row, gap, columns, source=source, uri=uri, subject=subject)
    if isinstance(found, Record):
        yield from _lost(row, columns)
        if inside := _inside(row, columns):
            found = msgspec.structs.replace(found, id="", meta={**inside, **found.meta})
    yield found


def _lost(row: Row, columns: Columns) -> Iterator[Drop]:
    used = {name.partition(".")[0] for name in named(columns)} | named(columns)
    for name, value in row.items():
        if name == META and isinstance(value, dict):
            yield from _too_long((f"{META}.{k}", shown(v)) for k, v in value.items())
        elif name not in used and value not in (None, "", [], (), {}):
            said = shown(value, nested=False)
            if not said:
                yield Drop(f"column {name[:40]!r} left out: it holds no plain value")
            yield from _too_long([(name, said)])


def _too_long(said: Any) -> Iterator[Drop]:
    for name, value in said:
        if len(value) > LONGEST_FACT:
            yield Drop(f"column {name[:40]!r} left out: longer than {LONGEST_FACT:,} characters")


def _inside(row: Row, columns: Columns) -> dict[str, str]:
    inside = row.get(META)
    if not isinstance(inside, dict):
        return {}
    names = tuple(k for k in inside if k and f"{META}.{k}" not in named(columns))
    person = shown(at(row, columns.person)) if columns.person else ""
    return facts(inside, Columns(text=(), label="", meta=names), person)


def named(columns: Columns) -> set[str]:
    """The columns that a source of files may name."""
    return {name for name in (*columns.texts, columns.label, columns.person) if name}

"""The schema contract at the door: what happens when a source's columns change.

The modes are those of dlt (dlthub.com/docs, "Schema and data contracts"): `evolve` takes the change over,
`freeze` stops the source, `discard_row` leaves the record out, `discard_value` the value.
"""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop, Record

Mode = Literal["evolve", "freeze", "discard_row", "discard_value"]
MOST = 200  # columns that a source may have: bounds what is kept of them

KINDS = (
    ("boolean", re.compile(r"(?i)true|false")),
    ("number", re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")),
    ("time", re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")),
)

Columns = dict[str, str]


class Contract(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of a new column, and of a value of another type than the column had."""

    columns: Mode = "evolve"
    types: Mode = "evolve"

    def keep(self, record: Record, columns: Columns, before: Mapping[str, str]) -> Record | Drop:
        """The record as it may pass; `columns` (name -> type) learns what evolves.

        `before` are the columns as they stood when the passage began: the first passage sets them. Raises
        SourceFailed for a frozen change.
        """
        meta = {}
        for name, value in record.meta.items():
            kind, mode = _kind(value), self._mode(name, value, columns, before)
            if mode == "freeze":
                raise _frozen(record, name, value, before)
            if mode == "discard_row":
                return Drop("contract: a new column" if name not in columns else "contract: another type")
            if mode == "evolve":
                meta[name] = value
                columns[name] = kind if columns.get(name, kind) == kind else "text"
        return record if meta == record.meta else msgspec.structs.replace(record, id="", meta=meta)

    def _mode(self, name: str, value: str, columns: Columns, before: Mapping[str, str]) -> Mode:
        if name not in columns:
            return "discard_value" if len(columns) >= MOST else self.columns if before else "evolve"
        same = columns[name] in ("text", _kind(value)) or not value
        return "evolve" if same or name not in before else self.types


def _kind(value: str) -> str:
    """The type that a value looks like."""
    return next((name for name, pattern in KINDS if pattern.fullmatch(value)), "text")


def _frozen(record: Record, name: str, value: str, before: Mapping[str, str]) -> SourceFailed:
    said = f"a {_kind(value)} where it was a {before[name]}" if name in before else "a new column"
    return SourceFailed(
        f"{record.source}: column {name!r} = {value[:40]!r} is {said}, and its contract is frozen; known: "
        f"{', '.join(sorted(before))}. Correct the source, or let its contract evolve"
    )

"""The column of a table without labels that looks as if it held them: somebody forgot to name it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from openflywheel.base.items import ITEM, PRICE
from openflywheel.collect._files.rows import META, named
from openflywheel.collect._rows.path import at
from openflywheel.collect._rows.record import Columns, shown

ROWS = 1_000  # that are looked at
FEW = 10  # different values that any number of rows may have
LONGEST = 64  # characters of a label
NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
DAY, ADDRESS = r"\d{4}-\d\d-\d\d.*", r".*://.*|\S+@\S+"
OTHER = re.compile(rf"{NUMBER.pattern}|{DAY}|{ADDRESS}", re.DOTALL)  # what are no labels


def unnamed(rows: Iterable[Mapping[str, Any]], columns: Columns, kind: str) -> str:
    """The column that looks like the right answers of a task of this kind; "" where none does.

    None does where a row has a label, where the rows are items, or where the user says `label: ""`.
    """
    fits = {"label": _are_labels, "number": _are_numbers}.get(kind)
    if fits is None or not columns.label:
        return ""
    first = list(islice(rows, ROWS))
    if any(at(row, columns.label) or _is_item(row) for row in first):
        return ""
    values = defaultdict[str, list[str]](list)
    for row in first:
        for name in row.keys() - named(columns) - {META, PRICE}:
            values[name].append(shown(row[name], nested=False))
    found = {
        name: len(set(said))
        for name, said in sorted(values.items())
        if name.isprintable() and fits(said, len(first))
    }
    return min(found, key=lambda name: found[name], default="")


def _is_item(row: Mapping[str, Any]) -> bool:
    inside = row.get(META)
    return ITEM in row or (isinstance(inside, dict) and ITEM in inside)


def _are_labels(values: list[str], rows: int) -> bool:
    """Few short words that come again and again."""
    said = set(filter(None, values))
    short = all(len(value) <= LONGEST and not OTHER.fullmatch(value) for value in said)
    return short and 2 <= len(said) <= max(FEW, rows // 2)


def _are_numbers(values: list[str], _: int) -> bool:
    said = set(filter(None, values))
    return len(said) > 1 and all(map(NUMBER.fullmatch, said))

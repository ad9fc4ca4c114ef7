"""A value inside nested rows, named by keys and positions with dots: "author.email", "items.-1.id"."""

from collections.abc import Mapping, Sequence
from typing import Any


def at(row: Any, path: str) -> Any:
    """The value at a path, None where there is none; "" is the whole. A key that holds dots comes first."""
    if not path:
        return row
    if isinstance(row, Mapping) and path in row:
        return row[path]
    here, _, rest = path.partition(".")
    found = _step(row, here)
    return None if found is None else at(found, rest)


def _step(row: Any, name: str) -> Any:
    if isinstance(row, Mapping):
        return row.get(name)
    if isinstance(row, Sequence) and not isinstance(row, str | bytes) and name.lstrip("-").isdigit():
        place = int(name)
        return row[place] if -len(row) <= place < len(row) else None
    return None

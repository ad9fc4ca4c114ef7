"""Values that grow from row to row, kept as JSON between two turns."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

KINDS: dict[str, tuple[type, Callable[[str], Any]]] = {
    "datetime": (datetime, datetime.fromisoformat),
    "date": (date, date.fromisoformat),
    "decimal": (Decimal, Decimal),
    "uuid": (UUID, UUID),
}


def packed(value: Any) -> Any:
    """A value as JSON: what JSON has no type for becomes {"datetime": "2026-01-31T00:00:00"}."""
    for name, (kind, _) in KINDS.items():  # datetime before date, which it is too
        if isinstance(value, kind):
            return {name: value.isoformat() if isinstance(value, date) else str(value)}
    return value if isinstance(value, int | float | str) else str(value)


def unpacked(value: Any) -> Any:
    """The value again."""
    if isinstance(value, dict):
        [(name, said)] = value.items()
        return KINDS[name][1](said)
    return value


def later(one: Any, other: Any) -> Any:
    """The greater of two; None is less than all, and what differs in type is compared as text."""
    if one is None or other is None:
        return other if one is None else one
    numbers = all(isinstance(v, int | float) for v in (one, other))
    first, second = (one, other) if numbers else (str(one), str(other))
    return one if first >= second else other

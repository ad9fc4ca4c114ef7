"""Bright Data's filter expressions (docs: marketplace-dataset-api/filter-syntax), over rows."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

DEEPEST = 3  # levels of groups


class BadFilter(ValueError):
    """What the API answers with 400."""


def _includes(value: Any, wanted: Any) -> bool:
    many = wanted if isinstance(wanted, list) else [wanted]
    return any(str(w).lower() in str(value).lower() for w in many)


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "includes": _includes,
    "not_includes": lambda value, wanted: not _includes(value, wanted),
    "array_includes": lambda value, wanted: wanted in value,
    "not_array_includes": lambda value, wanted: wanted not in value,
}


def matches(row: Mapping[str, Any], wanted: Any, columns: Mapping[str, str], level: int = 1) -> bool:
    """Does a row fit? Raises BadFilter."""
    if not isinstance(wanted, dict) or "operator" not in wanted:
        raise BadFilter('"filter" must be an object with an operator')
    if "filters" in wanted:
        return _group(row, wanted, columns, level)
    name, how = str(wanted.get("name")), str(wanted["operator"])
    if name not in columns:
        raise BadFilter(f'"filter.name" has no field {name!r}')
    if how in ("is_null", "is_not_null"):
        return (row.get(name) is None) == (how == "is_null")
    if how not in OPERATORS or "value" not in wanted:
        raise BadFilter(f'"filter.operator" {how!r} is not one of {", ".join(OPERATORS)}, or has no value')
    return row.get(name) is not None and bool(OPERATORS[how](row[name], wanted["value"]))


def _group(row: Mapping[str, Any], wanted: Mapping[str, Any], columns: Mapping[str, str], level: int) -> bool:
    if level > DEEPEST:
        raise BadFilter(f'"filter" is nested deeper than {DEEPEST} levels')
    if wanted["operator"] not in ("and", "or"):
        raise BadFilter('"filter.operator" of a group must be and, or')
    found = [matches(row, inner, columns, level + 1) for inner in wanted["filters"]]
    return all(found) if wanted["operator"] == "and" else any(found)

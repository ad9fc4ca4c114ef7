"""Arrow columns of a noun: its schema is derived from its fields, so that each noun is defined once."""

from collections.abc import Iterable, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa

from openflywheel.base.nouns import Noun

SIMPLE = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), bytes: pa.binary()}


@cache
def schema_of(kind: type[Noun]) -> pa.Schema:
    """Arrow schema of a noun."""
    return pa.schema(_fields(kind))


def _fields(kind: type[msgspec.Struct]) -> list[pa.Field]:
    hints = get_type_hints(kind)
    return [pa.field(name, _arrow(hints[name])) for name in kind.__struct_fields__]


def _arrow(hint: Any) -> pa.DataType:
    if hint in SIMPLE:
        return SIMPLE[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return pa.string()
    if origin in (Union, UnionType):
        return _arrow(next(h for h in inner if h is not NoneType))
    if origin is tuple:
        return pa.list_(_arrow(inner[0]))
    if origin is dict:
        return pa.map_(pa.string(), _arrow(inner[1]))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return pa.struct(_fields(hint))
    raise TypeError(f"{hint} has no Arrow type")


def to_batch(nouns: Sequence[Noun], kind: type[Noun]) -> pa.RecordBatch:
    """Nouns of one kind as one Arrow batch of len(nouns) rows."""
    schema = schema_of(kind)
    rows = msgspec.to_builtins(nouns, builtin_types=(bytes,))  # else they become base64 texts
    return pa.RecordBatch.from_arrays([_column(rows, field) for field in schema], schema=schema)


def _column(rows: Sequence[dict[str, Any]], field: pa.Field) -> pa.Array:
    values = [row[field.name] for row in rows]
    if pa.types.is_map(field.type):
        values = [None if value is None else list(value.items()) for value in values]
    return pa.array(values, field.type)


def from_table(table: pa.Table | pa.RecordBatch, kind: type[Noun]) -> list[Any]:
    """Nouns from Arrow rows; columns that the noun does not have are ignored, nulls are its defaults."""
    schema = schema_of(kind)
    maps = [f.name for f in schema if pa.types.is_map(f.type)]
    rows = table.select([n for n in schema.names if n in table.schema.names]).to_pylist()
    return [msgspec.convert(_with_maps(row, maps), kind, builtin_types=(bytes,)) for row in rows]


def _with_maps(row: dict[str, Any], maps: Iterable[str]) -> dict[str, Any]:
    """A row as the noun's fields, without those that a row from before the field lacks."""
    plain = {name: value for name, value in row.items() if value is not None}
    return plain | {name: dict(plain[name]) for name in maps if name in plain}

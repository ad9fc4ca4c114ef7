"""A batch as a noun has it: its columns, its defaults, its ids, without making the nouns."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.ids import CONTENT_BYTES
from openflywheel.base.instruments.columns import schema_of
from openflywheel.base.nouns import Data, Part, Row

PARTS = schema_of(Row).field("parts").type
PAIRS = pa.list_(pa.struct([pa.field("key", pa.string(), nullable=False), ("value", pa.string())]))


def completed(table: pa.Table, kind: type[Data]) -> pa.Table:
    """Exactly the columns of a noun, in order and of its types; what is missing or null has its default.

    Raises pa.ArrowInvalid or pa.ArrowNotImplementedError for a column that does not fit.
    """
    if not table.num_rows:
        return schema_of(kind).empty_table()
    defaults = {f.name: _default(f) for f in msgspec.structs.fields(kind)}
    columns = []
    for field in schema_of(kind):
        scalar = pa.scalar(defaults[field.name], field.type)
        if field.name not in table.column_names:
            columns.append(pa.repeat(scalar, table.num_rows))
        else:
            known = table[field.name].cast(field.type)
            columns.append(pc.coalesce(known, scalar) if known.null_count and scalar.is_valid else known)
    return pa.Table.from_arrays(columns, schema=schema_of(kind))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    """A noun's default as Arrow takes it; None where it has none, or where the clock gives it."""
    if field.name == "at" or field.default is msgspec.NODEFAULT:
        return [] if field.default_factory is dict else None
    return list(field.default) if isinstance(field.default, tuple) else field.default


def named(table: pa.Table, kind: type[Data]) -> pa.Table:
    """The rows of a noun under the ids that `kind(...)` would give them: a hash of all that they say."""
    at = table.schema.get_field_index("id")
    return table.set_column(at, table.schema.field(at), pa.array(_ids(table, kind), pa.string()))


def _ids(table: pa.Table, kind: type[Data]) -> list[str]:
    """Hashes as base.ids.content_id makes them, of the JSON that the noun itself would hash."""
    fields = sorted(set(table.column_names) - kind.nameless)
    encode, head = msgspec.json.Encoder(order="deterministic").encode, _part(kind.__name__.encode())
    ids = []
    for values in zip(*(_plain(table[name]) for name in fields), strict=True):
        said = encode(dict(zip(fields, values, strict=True)))
        ids.append(blake2b(head + _part(said), digest_size=CONTENT_BYTES).hexdigest())
    return ids


def _part(raw: bytes) -> bytes:
    return len(raw).to_bytes(8, "big") + raw


def _plain(column: pa.ChunkedArray) -> Sequence[Any]:
    """A column's values as the noun holds them; those of one that is the same all over are made once."""
    if _same_all_over(column):
        return _made(column[:1]) * len(column)
    return _made(column)


def _same_all_over(column: pa.ChunkedArray) -> Any:
    if pa.types.is_string(column.type):
        return len(pc.unique(column)) == 1
    if pa.types.is_nested(column.type):
        return pc.max(pc.list_value_length(as_lists(column))).as_py() == 0
    return column.null_count == len(column) > 0


def _made(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if column.type == PARTS:
        return list(msgspec.convert(values, list[tuple[Part, ...]]))
    return [dict(value) for value in values] if pa.types.is_map(column.type) else values


def as_lists(column: Any) -> Any:
    """Maps as lists of pairs, which more of Arrow's functions take; lists as they are."""
    return column.cast(PAIRS) if pa.types.is_map(column.type) else column


def whole(column: pa.Array | pa.ChunkedArray) -> Any:
    """A column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

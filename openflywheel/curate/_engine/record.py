"""The columns of any table as those of Record: types, facts, terms, ids."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray
from pyarrow import types

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import schema_of
from openflywheel.base.nouns import Record
from openflywheel.curate._batches import mark_drops, with_column
from openflywheel.curate._nouns import completed, named, whole
from openflywheel.curate._rows import with_facts

ROWS, BYTES = 2_000, 32 << 20  # most of one batch
LONGEST = 16 << 20  # bytes of a text
LONGEST_FACT = 2_000  # characters of a column in meta; what is longer is no fact but another text
NAMES = frozenset(schema_of(Record).names)
BESIDE = {"content": pa.binary(), "drop": pa.string()}  # in every batch, beside a Record's columns and
WORKING = {"role": pa.string(), "weight": pa.float64()}  # these, which are facts in tables that are not ours
OWN = ("seq", "recipe", "unit", "tokens", "run")  # columns of the wheel's own tables: no facts of the thing
ALIAS = {"url": "uri"}


class Terms(Struct, frozen=True, kw_only=True):
    """What holds for rows that do not say it themselves. An empty `source` is the input's name."""

    source: str = ""
    basis: str = ""
    purposes: tuple[str, ...] = ()
    license: str = ""
    region: str = ""


def records(table: pa.Table, terms: Terms, at: float, place: str) -> Iterator[pa.Table]:
    """A table with Record's columns, `BESIDE` and `WORKING`, in batches of at most `ROWS` and `BYTES`.

    Plain columns that a Record lacks become facts in `meta`; "url" is `uri`. Rows without an id get that of
    Record(...), rows without `at` that of their file, Unix seconds. Raises SettingsError for a column of a
    wrong type; `place` names the table there.
    """
    full = _under(_typed(table, place), terms, at)
    known = BESIDE | (WORKING if _is_own(table.schema) else {})
    for name, kind in (BESIDE | WORKING).items():
        here = name in known and name in table.column_names
        full = full.append_column(name, table[name].cast(kind) if here else pa.nulls(table.num_rows, kind))
    for batch in cut(full):
        yield _with_ids(_readable(batch))


def broken(
    reasons: Sequence[str], texts: Sequence[str], uris: Sequence[str], terms: Terms, at: float
) -> Iterator[pa.Table]:
    """Dropped rows for what cannot be read, so that nothing is lost silently."""
    table = pa.table({"text": list(texts), "uri": list(uris), "drop": list(reasons)})
    yield from records(table, terms, at, uris[0])


def readable(schema: pa.Schema, place: str) -> list[str]:
    """Names of the columns that are read. Raises SettingsError where `records` would, and without a text."""
    next(records(schema.empty_table(), Terms(), 0.0, place), None)
    if not {"text", "parts"} & set(schema.names):
        raise SettingsError(f"{place}: there is no column 'text'; it has: {', '.join(schema.names)}")
    not_read = {*BESIDE, *(OWN if _is_own(schema) else ())}
    return [f.name for f in schema if f.name in NAMES or (_plain(f.type) and f.name not in not_read)]


def _is_own(schema: pa.Schema) -> bool:
    """Is it a table of the wheel's? Only there a role is a Row's role, and a weight its weight."""
    return set(schema.names) >= NAMES


def _typed(table: pa.Table, place: str) -> pa.Table:
    """The columns of Record, those that are missing or null with its defaults."""
    for theirs, ours in ALIAS.items():
        if theirs in table.column_names and ours not in table.column_names:
            table = table.rename_columns([ours if n == theirs else n for n in table.column_names])
    columns = {f.name: _fit(table, f, place) for f in schema_of(Record) if f.name in table.column_names}
    no_facts = {*NAMES, *BESIDE, *(WORKING if _is_own(table.schema) else ())}
    facts = {f.name: _fact(table[f.name]) for f in table.schema if f.name not in no_facts and _plain(f.type)}
    if facts:
        empty = pa.array([[]] * table.num_rows, schema_of(Record).field("meta").type)
        columns["meta"] = with_facts(whole(columns["meta"]) if "meta" in columns else empty, facts)
    rows = table.select([]) if not columns else pa.table(columns)
    return completed(rows, Record)


def _plain(kind: pa.DataType) -> bool:
    """Does such a value say something in a few words?"""
    if types.is_dictionary(kind):
        return _plain(kind.value_type)
    return bool(types.is_primitive(kind) or types.is_string(kind) or types.is_large_string(kind))


def _fact(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as facts: null where it is empty, or too long to be one."""
    texts = column.cast(pa.string())
    size = pc.utf8_length(texts)
    return pc.if_else(pc.and_(pc.greater(size, 0), pc.less_equal(size, LONGEST_FACT)), texts, None)


def _fit(table: pa.Table, wanted: pa.Field, place: str) -> pa.Array | pa.ChunkedArray:
    """A column in Record's type."""
    column = table[wanted.name]
    kind = column.type
    if types.is_null(kind):
        return pa.nulls(len(column), wanted.type)
    if types.is_struct(kind) and types.is_map(wanted.type):
        empty = pa.array([[]] * len(column), wanted.type)
        return with_facts(empty, {f.name: pc.struct_field(column, f.name).cast(pa.string()) for f in kind})
    if types.is_floating(wanted.type) and types.is_timestamp(kind):
        return pc.divide(column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64()).cast(pa.float64()), 1e6)
    numbers = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if not (numbers if types.is_floating(wanted.type) else _plain(kind) or not types.is_string(wanted.type)):
        raise _wrong(wanted, kind, place)
    try:
        return column.cast(wanted.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _wrong(wanted, kind, place) from error


def _wrong(wanted: pa.Field, kind: pa.DataType, place: str) -> SettingsError:
    return SettingsError(f"{place}: the column {wanted.name!r} is {kind}; it must be {wanted.type}")


def _under(table: pa.Table, terms: Terms, at: float) -> pa.Table:
    """The rows under terms, where they have none of their own."""
    for name in ("source", "basis", "license", "region"):
        said = pc.fill_null(table[name], "")
        table = with_column(table, name, pc.if_else(pc.equal(said, ""), getattr(terms, name), said))
    none = pc.equal(pc.list_value_length(table["purposes"]), 0)
    given = pa.scalar(list(terms.purposes), pa.list_(pa.string()))
    table = with_column(table, "purposes", pc.if_else(none, given, table["purposes"]))
    return with_column(table, "at", pc.fill_null(table["at"], at))


def cut(table: pa.Table) -> Iterator[pa.Table]:
    """The rows in their order, in parts of at most `ROWS` and, unless one row alone has more, `BYTES`."""
    ends = np.cumsum(_sizes(table))
    first = 0
    while first < table.num_rows:
        begun = ends[first - 1] if first else 0
        last = int(np.searchsorted(ends, begun + BYTES, "right"))
        last = max(first + 1, min(last, first + ROWS))
        yield table.slice(first, last - first)
        first = last


def _sizes(table: pa.Table) -> NDArray[np.int64]:
    """Bytes of each row's text and content."""
    sizes = [pc.fill_null(pc.binary_length(table[name]), 0).to_numpy() for name in ("text", "content")]
    return np.asarray(sizes[0].astype(np.int64) + sizes[1])


def _readable(batch: pa.Table) -> pa.Table:
    """Drop what has no text and nothing to take one from, and what is too long for one."""
    text = pc.fill_null(batch["text"], "")
    long = pc.greater(pc.binary_length(text), LONGEST)
    batch = with_column(batch, "text", pc.if_else(long, pc.utf8_slice_codeunits(text, 0, LONGEST_FACT), text))
    batch = mark_drops(batch, long, "read: text too long")
    media = pc.or_(pc.is_valid(batch["content"]), pc.greater(pc.list_value_length(batch["parts"]), 0))
    blank = pc.and_(pc.equal(pc.utf8_trim_whitespace(text), ""), pc.invert(media))
    return mark_drops(batch, blank, "read: no text")


def _with_ids(batch: pa.Table) -> pa.Table:
    """Ids where rows have none: those of Record(...)."""
    missing = pc.equal(pc.fill_null(batch["id"], ""), "")
    if not pc.any(missing).as_py():
        return batch
    ids = named(batch.select(schema_of(Record).names), Record)["id"]
    return with_column(batch, "id", pc.if_else(missing, ids, batch["id"]))

"""What the steps share: a batch has the columns of Record and "drop", null for rows that go on."""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Batch: TypeAlias = pa.RecordBatch | pa.Table


def as_table(batch: Batch) -> pa.Table:
    """A batch of either kind as a table."""
    return batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])


def kept(table: pa.Table) -> pa.ChunkedArray:
    """Which rows no step has dropped yet."""
    return pc.is_null(table["drop"])


def mark_drops(table: pa.Table, mask: pa.ChunkedArray, reason: str) -> pa.Table:
    """Give `reason` to the rows of `mask` that have none yet; a null in the mask drops nothing."""
    fresh = pc.and_(kept(table), pc.fill_null(mask, False))
    return with_column(table, "drop", pc.if_else(fresh, reason, table["drop"]))


def with_text(table: pa.Table, text: pa.ChunkedArray) -> pa.Table:
    """The table with other texts, where rows go on; dropped rows keep the text they were dropped for."""
    return with_column(table, "text", pc.if_else(kept(table), text, table["text"]))


def with_column(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The table with one column's values replaced, its place and type kept."""
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), values.cast(table.schema.field(at).type))


def marked(table: pa.Table, rows: NDArray[np.int64], marks: pa.Table) -> pa.Table:
    """The table with what a whole step marked: for each of `rows` a row of `marks`; nulls change nothing."""
    at = np.full(table.num_rows, -1, np.int64)
    at[rows] = np.arange(len(rows))
    places = pa.array(at, mask=at < 0)
    for name in marks.column_names:
        values = marks[name].take(places)
        old = table[name] if name in table.column_names else pa.nulls(table.num_rows, values.type)
        # a row is dropped once, for the first reason
        both = pc.coalesce(old, values) if name == "drop" else pc.coalesce(values, old)
        table = (
            with_column(table, name, both) if name in table.column_names else table.append_column(name, both)
        )
    return table


def wordless(table: pa.Table) -> pa.ChunkedArray:
    """Rows that are media and nothing else: rules about words have nothing to say about them."""
    empty = pc.equal(pc.utf8_trim_whitespace(table["text"]), "")
    return pc.and_(empty, pc.greater(pc.fill_null(pc.list_value_length(table["parts"]), 0), 0))


META = "meta."  # working columns of this name hold new facts of the rows; they end in the map `meta`


def with_meta(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The table with a fact of every row, null where there is none: the string column "meta.<name>".

    Dropped rows keep what was known of them.
    """
    column, texts = META + name, values.cast(pa.string())
    if column in table.column_names:
        return with_column(table, column, pc.if_else(kept(table), texts, table[column]))
    return table.append_column(column, texts)


def meta(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A fact of every row, null where there is none: from an earlier step, else from its source."""
    known = pc.map_lookup(table["meta"], name, "last")
    return pc.coalesce(table[META + name], known) if META + name in table.column_names else known

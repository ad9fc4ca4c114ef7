"""What the steps share: a batch has the columns of Record and "drop", null for rows that go on."""

from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

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

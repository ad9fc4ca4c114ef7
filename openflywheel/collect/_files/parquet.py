"""Parquet: rows in batches, so that a file larger than memory can be read."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found

BATCH = 256  # rows
WORDS = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def read(file: File) -> Iterator[Found | Drop]:
    """Rows with Python's values. Raises Spent when they unpack to too much.

    Texts stay in their dictionary until their row is made: a file of 1 MB can hold one text of 1 MB a billion
    times.
    """
    words = [field.name for field in pq.read_schema(file.stream) if field.type in WORDS]
    with pq.ParquetFile(file.stream, pre_buffer=False, read_dictionary=words) as table:
        for group in range(table.num_row_groups):
            file.allowance.take(table.metadata.row_group(group).total_byte_size)
            for batch in table.iter_batches(BATCH, row_groups=[group]):
                yield from _rows(batch, file)


def _rows(batch: Any, file: File) -> Iterator[Found]:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for number in range(batch.num_rows):
        row = {name: column[number].as_py() for name, column in columns.items()}
        file.allowance.take(sum(len(value) for value in row.values() if isinstance(value, str | bytes)))
        yield Found(row=row)

"""Rows of a shard in batches of a size that suits the steps."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.curate._engine.ids import hashed

MOST_ROWS = 2_000
MOST_BYTES = 32 << 20  # of text and content
ORIGIN = "origin"  # hash of the id that a row had when the stage began; chunks have their record's


def cut(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in batches within the bounds; a row that is larger by itself is a batch by itself."""
    held: list[pa.Table] = []
    rows = size = 0
    for table in tables:
        for piece, bytes_ in _pieces(table):
            if held and (rows + piece.num_rows > MOST_ROWS or size + bytes_ > MOST_BYTES):
                yield _joined(held)
                held, rows, size = [], 0, 0
            held.append(piece)
            rows, size = rows + piece.num_rows, size + bytes_
    if held:
        yield _joined(held)


def _pieces(table: pa.Table) -> Iterator[tuple[pa.Table, int]]:
    """Slices within the bounds, with their bytes."""
    ends = np.cumsum(_sizes(table))
    start = done = 0
    while start < table.num_rows:
        end = int(np.searchsorted(ends, done + MOST_BYTES, "right"))
        end = max(start + 1, min(end, start + MOST_ROWS))
        yield table.slice(start, end - start), int(ends[end - 1] - done)
        start, done = end, int(ends[end - 1])


def _sizes(table: pa.Table) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Bytes of each row's text and content."""
    sizes = np.zeros(table.num_rows, np.int64)
    for name in {"text", "content"} & set(table.column_names):
        sizes += pc.fill_null(pc.binary_length(table[name]), 0).to_numpy()
    return sizes


def _joined(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def ready(table: pa.Table) -> pa.Table:
    """A batch for a stage's first step: with "drop", and with the origin of every row."""
    if "drop" not in table.column_names:
        table = table.append_column("drop", pa.nulls(table.num_rows, pa.string()))
    origin = pa.array(hashed(table["id"]))
    if ORIGIN in table.column_names:
        return table.set_column(table.column_names.index(ORIGIN), ORIGIN, origin)
    return table.append_column(ORIGIN, origin)

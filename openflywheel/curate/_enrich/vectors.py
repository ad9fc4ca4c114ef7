"""The embeddings of a batch, which are made once: what `embed` wrote is read by later steps."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.curate._going import going

COLUMN = "embedding"
ENCODER = b"encoder"  # in the column's metadata: vectors of two encoders do not mix


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    name: str
    width: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def vectors(table: pa.Table, encoder: Encoder) -> NDArray[np.float32]:
    """The embeddings of the rows that go on, shape (n, width); from the column where it has them all."""
    rows = going(table)
    if COLUMN in table.column_names:
        known = table[COLUMN].take(rows).combine_chunks()
        made_by = (table.schema.field(COLUMN).metadata or {}).get(ENCODER)
        if made_by == encoder.name.encode() and not known.null_count:
            flat: NDArray[np.float16] = known.flatten().to_numpy(zero_copy_only=False)
            return flat.astype(np.float32).reshape(-1, encoder.width)
    return encoder.encode(table["text"].take(rows).to_pylist())


def with_vectors(table: pa.Table, found: NDArray[np.float32], encoder: Encoder) -> pa.Table:
    """The table with the column "embedding", null for dropped rows."""
    rows = going(table)
    values = np.zeros((table.num_rows, encoder.width), np.float16)
    values[rows] = found
    mask = np.ones(table.num_rows, bool)
    mask[rows] = False
    column = pa.FixedSizeListArray.from_arrays(values.reshape(-1), encoder.width, mask=pa.array(mask))
    field = pa.field(COLUMN, column.type, metadata={ENCODER: encoder.name.encode()})
    if COLUMN in table.column_names:
        return table.set_column(table.column_names.index(COLUMN), field, column)
    return table.append_column(field, column)

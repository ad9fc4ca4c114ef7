"""The rows of a batch that go on, and what a step found out about them, back at their places."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.curate._batches import kept

Index = NDArray[np.int64]


def going(table: pa.Table) -> Index:
    """Positions of the rows that no step has dropped yet."""
    return np.flatnonzero(kept(table).to_numpy())


def spread(values: pa.Array | Sequence[Any], rows: Index, size: int) -> pa.Array:
    """The values of `rows` at their places in a column of `size` rows, null elsewhere."""
    places = np.full(size, -1)
    places[rows] = np.arange(len(rows))
    return pa.array(values).take(pa.array(places, mask=places < 0))

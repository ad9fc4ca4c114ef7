"""Steps that must see every row at once: which of them belong together, and what follows from that.

Such a step's function takes no batch; it is called once, with its settings, and gives a Whole. Its three
parts never see texts and rows together, so that the engine may spread them over processes and machines:

1. `sketch`, a batch at a time, gives what the decision needs of each row, as small as can be. Sketches are
   kept: the next run makes them for new rows alone.
2. Rows that have a key in common are candidates. The engine brings them together (a shuffle by key), and
   `check` says which of the pairs really belong together.
3. `settle` decides, in one place, over all sketches without their `heavy` columns and all pairs that passed.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._batches import kept, marked

Pairs: TypeAlias = NDArray[np.int64]
"""Positions of rows in a table of sketches, shape (n, 2); each pair once, the lower position first."""

AT_ONCE = 4_096  # candidates whose sketches are in memory together
WIDEST = (
    32  # rows of one key that are all compared with each other; beyond it each with the first and the next
)


class Whole(Struct, frozen=True, kw_only=True):
    """A step over all rows.

    sketch: a batch's rows that go on -> one row for each, in their order: "keys" (list of uint64, empty for
        none) and whatever the other two want to see, "id" (the row's) among it.
    check: two tables of sketches of equal length, candidates side by side -> which of them belong together,
        shape (n,), bool. Without it a common key is enough.
    settle: all sketches, the pairs -> marks: "row" (position, int64), and for those rows any of the columns
        "drop", "role", "weight", "meta.<name>"; a null leaves a row as it was. It must not depend on the
        order of the sketches.
    heavy: columns of a sketch that only `check` looks at; they stay on disk.
    """

    sketch: Callable[[pa.Table], pa.Table]
    settle: Callable[[pa.Table, Pairs], pa.Table]
    check: Callable[[pa.Table, pa.Table], NDArray[np.bool_]] | None = None
    heavy: tuple[str, ...] = ()


def candidates(rows: NDArray[np.int64], keys: NDArray[np.uint64]) -> Pairs:
    """Pairs of rows with a key in common. `rows` and `keys` are of one length: a row stands once a key.

    Of a key with more than `WIDEST` rows, each row is paired with the first and with the next one only, so
    that a key that everybody has costs no square.
    """
    order = np.lexsort((rows, keys))
    rows, keys = rows[order], keys[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, np.int64)
    sizes = np.diff(np.r_[starts, len(keys)])
    first = np.repeat(starts, sizes)  # where each row's key begins
    place, size = np.arange(len(keys)) - first, np.repeat(sizes, sizes)
    found = [np.empty((0, 2), np.int64)]
    for step in range(1, WIDEST):
        here = np.flatnonzero((place + step < size) & ((size <= WIDEST) | (step == 1)))
        found.append(np.stack([rows[here], rows[here + step]], axis=1))
    far = np.flatnonzero((size > WIDEST) & (place > 0))
    found.append(np.stack([rows[first[far]], rows[far]], axis=1))
    pairs = np.concatenate(found)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def exploded(sketches: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """(positions, keys): each row of the sketches once for each of its keys."""
    keys = sketches["keys"].combine_chunks()
    rows = pc.list_parent_indices(keys).to_numpy(zero_copy_only=False)
    return rows.astype(np.int64), pc.list_flatten(keys).to_numpy(zero_copy_only=False).astype(np.uint64)


def checked(whole: Whole, sketches: pa.Table, pairs: Pairs) -> Pairs:
    """The candidates that belong together."""
    if whole.check is None or not len(pairs):
        return pairs
    fits = [
        whole.check(sketches.take(part[:, 0]), sketches.take(part[:, 1]))
        for part in np.array_split(pairs, -(-len(pairs) // AT_ONCE))
    ]
    return pairs[np.concatenate(fits)]


def settled(whole: Whole, table: pa.Table) -> pa.Table:
    """A whole step on rows that fit into memory: the table with its marks."""
    going = np.flatnonzero(kept(table).to_numpy())
    sketches = whole.sketch(table.take(going))
    pairs = checked(whole, sketches, candidates(*exploded(sketches)))
    marks = whole.settle(sketches.drop_columns(list(whole.heavy)), pairs)
    return marked(table, going[marks["row"].to_numpy()], marks.drop_columns("row"))

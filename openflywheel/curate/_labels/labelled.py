"""Labels of rows as numbers, one task at a time."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._nouns import as_lists, whole

TRUST = ("", "seed", "user", "expert")
EXPERT = TRUST.index("expert")

Places = NDArray[np.int64]


class Labelled(Struct, frozen=True):
    """The rows of a table that have a label for a task. given: places in `names`, one for each of `rows`."""

    task: str
    rows: Places
    given: Places
    names: tuple[str, ...]


def tasks(labels: pa.MapArray | pa.ChunkedArray) -> Iterator[Labelled]:
    """The labels of each task, tasks and names in alphabetical order; an empty label is none."""
    pairs = as_lists(whole(labels))
    flat = pc.list_flatten(pairs)
    rows = pc.list_parent_indices(pairs).to_numpy(zero_copy_only=False).astype(np.int64)
    said = pa.table({"row": rows, "task": flat.field("key"), "label": flat.field("value")})
    said = said.filter(pc.greater(pc.utf8_length(said["label"]), 0))
    for task in sorted(pc.unique(said["task"]).to_pylist()):
        part = said.filter(pc.equal(said["task"], task))
        names = sorted(pc.unique(part["label"]).to_pylist())
        given = pc.index_in(part["label"], pa.array(names, pa.string()))
        yield Labelled(task, part["row"].to_numpy(), given.to_numpy().astype(np.int64), tuple(names))


def trust(labelled_by: pa.Array | pa.ChunkedArray) -> Places:
    """How far who labelled is trusted, 0 (nobody knows who) to 3 (experts)."""
    places = pc.fill_null(pc.index_in(labelled_by, pa.array(TRUST)), 0)
    found: Places = places.to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def labelled(labels: pa.MapArray | pa.ChunkedArray) -> NDArray[np.bool_]:
    """Which rows have a label for any task."""
    there = np.zeros(len(labels), bool)
    for task in tasks(labels):
        there[task.rows] = True
    return there


def weights(table: pa.Table) -> pa.Array | pa.ChunkedArray:
    """The rows' weights so far; 1 where no step gave one."""
    known = "weight" in table.column_names
    return pc.fill_null(table["weight"], 1.0) if known else pa.repeat(1.0, table.num_rows)

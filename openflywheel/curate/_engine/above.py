"""What the stages before said of rows that came through them in earlier runs.

Rows of this run carry their marks along. Of earlier runs' rows only sketches are left, so what an earlier
stage marks now is looked up by the id that a row had when it entered this stage.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from openflywheel.curate._batches import marked
from openflywheel.curate._engine.ids import Hashes
from openflywheel.curate._engine.linking import Mask


class Above(Struct, frozen=True):
    """Hashes of the ids of all rows of a stage, and all marks that they have after it, by position."""

    ids: Hashes
    marks: pa.Table

    def of(self, origins: Hashes) -> pa.Table:
        """The marks of the rows that were these when they left the stage."""
        order = np.argsort(self.ids, kind="stable")
        at = np.minimum(np.searchsorted(self.ids, origins, sorter=order), len(order) - 1)
        found = self.ids[order[at]] == origins
        return self.marks.take(pa.array(order[at], mask=~found))


def nothing(rows: int) -> pa.Table:
    """Marks that say nothing."""
    return pa.table({"drop": pa.nulls(rows, pa.string())})


def laid(above: pa.Table, marks: pa.Table) -> pa.Table:
    """The marks of a stage over those from before."""
    return marked(above, np.arange(above.num_rows), marks)


def changes(names: pa.Table, old: pa.Table, new: pa.Table) -> pa.Table:
    """Which rows have other marks now: "id", their marks now, and "ended": it was dropped already."""
    differs = np.zeros(old.num_rows, bool)
    new = new.slice(0, old.num_rows)
    for name in {*old.column_names, *new.column_names}:
        differs |= _differ(_column(old, name), _column(new, name))
    rows = np.flatnonzero(differs)
    out = new.take(rows).add_column(0, "id", names["id"].take(rows))
    return out.append_column("ended", pc.is_valid(old["drop"].take(rows)))


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table[name] if name in table.column_names else pa.chunked_array([pa.nulls(table.num_rows)])


def _differ(old: pa.ChunkedArray, new: pa.ChunkedArray) -> Mask:
    """Which values are others; null is a value of its own."""
    differs = pc.is_null(old).to_numpy() != pc.is_null(new).to_numpy()
    if not (pa.types.is_null(old.type) or pa.types.is_null(new.type)):
        differs |= pc.fill_null(pc.not_equal(old, new), False).to_numpy()
    return np.asarray(differs)

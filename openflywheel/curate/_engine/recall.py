"""What a state says of rows now: whole steps may change their mind about old rows when new ones come."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.curate._engine import files
from openflywheel.curate._engine.ids import Hashes, hashed
from openflywheel.curate._engine.segment import Positions, Segment
from openflywheel.curate._engine.state import State, opened

MARKS = {"drop": pa.string(), "role": pa.string(), "weight": pa.float64()}


def recall(folder: Path, ids: Sequence[str]) -> pa.Table:
    """The marks of rows, one for each id: "drop", "role", "weight", and facts ("meta.<name>") if any.

    Null where no whole step said anything. Raises WheelBusy while another process holds the state.
    """
    table = pa.table({name: pa.nulls(len(ids), kind) for name, kind in MARKS.items()})
    wanted = hashed(pa.array(ids, pa.string()))
    with opened(folder, None) as state:
        for number in range(len(state.manifest.stages)):
            table = _laid_over(table, _marks(state, number, wanted))
    return table


def _marks(state: State, number: int, wanted: Hashes) -> pa.Table:
    """What one stage's whole steps marked."""
    kept = state.stage(number)
    if not kept.marks:
        return pa.table({})
    marks = files.opened(state.path(kept.marks)).read_all()
    found = _positions(state.segments(number), wanted)
    places = pa.array(found, mask=found < 0)
    return marks.drop_columns([n for n in ("row",) if n in marks.column_names]).take(places)


def _positions(segments: Sequence[Segment], wanted: Hashes) -> Positions:
    """Where each id stands among all rows of a stage, -1 where it does not."""
    found = np.full(len(wanted), -1, np.int64)
    for segment in segments:
        run = segment.run("find")
        at = np.minimum(np.searchsorted(run[0], wanted), run.shape[1] - 1)
        here = np.flatnonzero(run[0][at] == wanted)
        found[here] = run[1][at[here]].astype(np.int64) + segment.base
    return found


def _laid_over(table: pa.Table, marks: pa.Table) -> pa.Table:
    """A later stage's marks win; but a row is dropped for its first reason."""
    for name in marks.column_names:
        fresh = marks[name].cast(MARKS.get(name, pa.string()))
        if name not in table.column_names:
            table = table.append_column(name, fresh)
            continue
        both = (table[name], fresh) if name == "drop" else (fresh, table[name])
        table = table.set_column(table.column_names.index(name), name, pc.coalesce(*both))
    return table

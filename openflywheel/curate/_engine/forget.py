"""Erasure: what a state holds of some rows is removed from its files."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from openflywheel.curate._engine import files
from openflywheel.curate._engine.ids import Hashes, hashed, within
from openflywheel.curate._engine.linking import Mask
from openflywheel.curate._engine.merge import Merge, merge
from openflywheel.curate._engine.remember import keep_array, keep_table
from openflywheel.curate._engine.segment import Segment
from openflywheel.curate._engine.state import StageKept, State, WholeKept, opened


def forget(folder: Path, ids: Iterable[str]) -> int:
    """Remove rows from the state in a folder, with what later steps made of them; returns how many went.

    The next run finds out what follows for the others: a row that was dropped as the copy of a forgotten one
    comes back, as a change. Raises WheelBusy while a run holds the state.
    """
    gone, went = np.unique(hashed(pa.array(list(ids), pa.string()))), 0
    with opened(folder, None) as state:
        stages = []
        for number, kept in enumerate(state.manifest.stages):
            segments = state.segments(number)
            names = np.concatenate([np.empty((2, 0), np.uint64), *(held.ids() for held in segments)], axis=1)
            keep = ~(within(names[0], gone) | within(names[1], gone))
            gone = np.union1d(gone, names[0, ~keep])  # what was made of them is known by these
            went += int((~keep).sum())
            stages.append(kept if keep.all() else _without(state, kept, segments, keep))
        if went:
            state.commit(tuple(stages))
    return went


def _without(state: State, kept: StageKept, segments: list[Segment], keep: Mask) -> StageKept:
    """A stage without the rows that are not to `keep`."""
    left = []
    for held in segments:
        rows, name = int(keep[held.base : held.base + held.rows].sum()), held.folder.name
        if 0 < rows < held.rows:
            name = state.fresh("segment")
            merge(Merge((held,), len(kept.wholes), state.path(name), keep))
        if rows:
            left.append((name, rows))
    marks = files.opened(state.path(kept.marks)).read_all().filter(pa.array(keep))
    wholes = [_whole(state, whole, n, segments, keep) for n, whole in enumerate(kept.wholes)]
    return StageKept(tuple(left), keep_table(state, marks), tuple(wholes))


def _whole(state: State, kept: WholeKept, number: int, segments: list[Segment], keep: Mask) -> WholeKept:
    """A whole step's files without those rows; their keys are to be looked at anew."""
    links, moved = files.load(state.path(kept.links)), (np.cumsum(keep) - 1).astype(np.uint64)
    links = links[:, keep[links[0]] & keep[links[1]]]
    links = np.stack([moved[links[0]], moved[links[1]], links[2]])
    stirred = [files.load(state.path(kept.stirred))] if kept.stirred else []
    stirred += [_keys(held, number, keep) for held in segments]
    return WholeKept(
        keep_array(state, "links", links),
        keep_array(state, "out", files.load(state.path(kept.out))[keep]),
        keep_array(state, "stirred", np.unique(np.concatenate(stirred))),
    )


def _keys(held: Segment, number: int, keep: Mask) -> Hashes:
    """The keys of a segment's rows that go."""
    run, stays = held.run(f"keys-{number}"), keep[held.base : held.base + held.rows]
    return np.array(run[0][~stays[run[1]]])

"""What a run leaves in the state, once its rows are written."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._engine import files
from openflywheel.curate._engine.engine import Engine
from openflywheel.curate._engine.merge import Merge, groups, merge
from openflywheel.curate._engine.running import Reached
from openflywheel.curate._engine.state import StageKept, State, WholeKept


class Memory(Struct, frozen=True):
    """What is to be kept of a run, and its work folder, which is not."""

    state: State
    engine: Engine
    work: Path
    reached: tuple[Reached, ...]

    def keep(self) -> None:
        """Let the state be as it is now, and remove the work folder."""
        if self.state.folder is not None:
            self.state.commit(tuple(self._stage(stage) for stage in self.reached))
        files.discard(self.work)

    def _stage(self, stage: Reached) -> StageKept:
        if stage.settled is None:
            return StageKept()
        return StageKept(
            segments=self._merged(stage),
            marks=keep_table(self.state, stage.settled.above.marks),
            wholes=tuple(
                WholeKept(
                    keep_array(self.state, "links", files.load(stage.folder / f"links-{whole}.npy")),
                    keep_array(self.state, "out", files.load(stage.folder / f"out-{whole}.npy")),
                )
                for whole in range(stage.wholes)
            ),
        )

    def _merged(self, stage: Reached) -> tuple[tuple[str, int], ...]:
        """The segments by name; those that lie in the state and need no merging stay as they are."""
        named, jobs = [], []
        for start, end in groups([held.rows for held in stage.segments]):
            part = stage.segments[start:end]
            here = len(part) == 1 and part[0].folder.parent == self.state.folder
            name = part[0].folder.name if here else self.state.fresh("segment")
            named.append((name, sum(held.rows for held in part)))
            if not here:
                jobs.append(Merge(part, stage.wholes, self.state.path(name)))
        for _ in self.engine.each(merge, jobs):
            pass
        return tuple(named)


def keep_array(state: State, kind: str, array: NDArray[np.generic]) -> str:
    """Write an array into the state; returns its name."""
    name = state.fresh(kind)
    files.save(state.path(name), array)
    return name


def keep_table(state: State, table: pa.Table) -> str:
    """Write a table into the state; returns its name."""
    name, whole = state.fresh("marks"), table.combine_chunks()
    files.write(state.path(name), whole.to_batches(), whole.schema, "lz4")
    return name

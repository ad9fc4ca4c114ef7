"""Stage after stage: each shard's batch steps in a job, then the whole steps."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec import Struct

from openflywheel.curate._engine.above import Above, nothing
from openflywheel.curate._engine.advance import Advance, Done, advance, done
from openflywheel.curate._engine.curated import Curated
from openflywheel.curate._engine.engine import Engine
from openflywheel.curate._engine.ground import Ground
from openflywheel.curate._engine.ids import hashed, within
from openflywheel.curate._engine.segment import Segment, extent, placed
from openflywheel.curate._engine.settle import Settled, settle
from openflywheel.curate._engine.shard import Shard
from openflywheel.curate._engine.state import State
from openflywheel.curate._engine.step import Plan, Stage
from openflywheel.curate._engine.telling import Teller


class Reached(Struct, frozen=True):
    """How a stage stands at the end of a run; its whole steps left files in `folder`."""

    folder: Path
    segments: tuple[Segment, ...]
    wholes: int
    settled: Settled | None


class Running:
    """One run on its way; `reached` is how its stages stand."""

    def __init__(self, plan: Plan, engine: Engine, folder: Path, state: State, teller: Teller) -> None:
        self._plan, self._engine, self._folder, self._state = plan, engine, folder, state
        self.teller = teller
        self.reached: list[Reached] = []
        self._above: Above | None = None

    def through(self, shards: Sequence[Shard]) -> tuple[Curated, ...]:
        """The shards after all stages."""
        for number, stage in enumerate(self._plan.stages()):
            shards = self._stage(number, stage, shards)
        return tuple(shards)  # type: ignore[arg-type]

    def changed(self) -> pa.Table:
        """Marks of earlier runs' rows that are others now: see Result."""
        none = nothing(0).append_column("id", pa.nulls(0, pa.string()))
        found = [self._final(*stages) for stages in pairwise([*self.reached, None])]
        return pa.concat_tables([none, *found], promote_options="default")

    def _final(self, stage: Reached | None, after: Reached | None) -> pa.Table:
        """What changed of the rows that ended in a stage: they were dropped there, or there is none after."""
        assert stage is not None
        if stage.settled is None:
            return nothing(0)
        changed, ended = stage.settled.changed, np.ones(stage.settled.changed.num_rows, bool)
        if after is not None:
            origins = np.concatenate([np.empty(0, np.uint64), *(held.ids()[1] for held in after.segments)])
            ended = changed["ended"].to_numpy() & ~within(hashed(changed["id"]), np.sort(origins))
        return changed.drop_columns("ended").filter(pa.array(ended))

    def _stage(self, number: int, stage: Stage, shards: Sequence[Shard]) -> list[Curated]:
        self.teller.begin((*stage.batch, *stage.whole))
        folder, old = self._folder / f"stage-{number}", self._state.segments(number)
        since = extent(old)
        jobs = [
            Advance(at, self._plan, number, shard, folder / f"{at:05d}", tuple(old))
            for at, shard in enumerate(shards)
        ]
        left = self._advanced(jobs, any(step.model for step in (*stage.batch, *stage.whole)))
        new = placed([(job.folder, did.sketched) for job, did in zip(jobs, left, strict=True)], since)
        ground = Ground(
            self._plan, number, self._engine, folder, (*old, *new), since, bool(self._state.folder)
        )
        out = _curated(jobs, left, since, bool(stage.whole and ground.segments))
        settled = None
        if ground.segments:
            settled = settle(ground, stage, self._state, self._above, out, self.teller)
            self._above = settled.above
        self.reached.append(Reached(folder, ground.segments, len(stage.whole), settled))
        return out

    def _advanced(self, jobs: Sequence[Advance], model: bool) -> list[Done]:
        """What each shard's job left, in their order; those done before a kill are not done again."""
        found = {job.number: did for job in jobs if (did := done(job.folder))}
        for did in found.values():
            self.teller.shard(did.rows, did.stats, fresh=False)
        todo = [job for job in jobs if job.number not in found]
        for number, did in self._engine.each(advance, todo, model=model):
            found[number] = did
            self.teller.shard(did.rows, did.stats, fresh=True)
        return [found[job.number] for job in jobs]


def _curated(jobs: Sequence[Advance], left: Sequence[Done], since: int, marked: bool) -> list[Curated]:
    out, base = [], since
    for job, did in zip(jobs, left, strict=True):
        marks = job.folder.parent / "marks.arrow" if marked else None
        out.append(Curated(job.shard.name, did.rows, job.folder, marks, since, base))
        base += did.sketched
    return out

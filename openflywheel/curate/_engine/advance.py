"""The job of one shard in one stage: the batch steps, then a sketch of what goes on for each whole step."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._batches import kept
from openflywheel.curate._engine import files, segment
from openflywheel.curate._engine.batches import ORIGIN, cut, ready
from openflywheel.curate._engine.ids import Hashes, hashed
from openflywheel.curate._engine.segment import Segment
from openflywheel.curate._engine.shard import Shard
from openflywheel.curate._engine.stats import Stats
from openflywheel.curate._engine.step import Plan
from openflywheel.curate._engine.working import failing, sketched, worked

DONE, ROWS, PLACES = "done.json", "rows.arrow", "places.npy"
NOWHERE = -1  # the place of a row that takes no part in whole steps


class Done(Struct, frozen=True):
    """What a shard's job left: rows, how many of them were sketched, and each step's figures."""

    rows: int
    sketched: int
    stats: tuple[Stats, ...]


class Advance(Struct, frozen=True):
    """Take `shard` through a stage into `folder`; rows that `known` segments hold are not sketched again."""

    number: int
    plan: Plan
    stage: int
    shard: Shard
    folder: Path
    known: tuple[Segment, ...] = ()

    def __str__(self) -> str:
        return f"shard {self.shard.name}"


def done(folder: Path) -> Done | None:
    """What the shard's job left, if it was finished."""
    path = folder / DONE
    return msgspec.json.decode(path.read_bytes(), type=Done) if path.exists() else None


def advance(job: Advance) -> tuple[int, Done]:
    """Do the job; returns its number with what it left. Raises StepFailed."""
    with files.finished(job.folder) as folder:
        folder.mkdir()
        work = _Work(job)
        tables = [work.through(batch) for batch in cut(work.reading())]
        if tables:
            table = pa.concat_tables(tables, promote_options="default")
            files.write(folder / ROWS, table.to_batches(), table.schema, "lz4")
        out = Done(sum(t.num_rows for t in tables), work.leave(folder), tuple(work.stats))
        (folder / DONE).write_bytes(msgspec.json.encode(out))
    return job.number, out


class _Work:
    """One shard on its way through a stage."""

    def __init__(self, job: Advance) -> None:
        self._job, self._stage, self._name = job, job.plan.stages()[job.stage], job.shard.name
        self.stats = [Stats(step=step.name) for step in (*self._stage.batch, *self._stage.whole)]
        self._sketches: list[list[pa.Table]] = [[] for _ in self._stage.whole]
        self._names: list[pa.Table] = []
        self._ids = [np.empty((2, 0), np.uint64)]
        self._places = [np.empty(0, np.int64)]
        self._next = segment.extent(job.known)  # the place of the next new row, in this shard

    def reading(self) -> Iterator[pa.Table]:
        """The shard's rows, with what the engine adds to them."""
        with failing("reading", self._name):
            yield from self._job.shard.read()

    def through(self, batch: pa.Table) -> pa.Table:
        """A batch after the stage's batch steps."""
        table = ready(batch)
        for number, step in enumerate(self._stage.batch):
            table, did = worked(step, table, self._name)
            self.stats[number] += did
        self._place(table)
        return table

    def _place(self, table: pa.Table) -> None:
        going = np.flatnonzero(kept(table).to_numpy())
        ids = hashed(table["id"].take(going))
        places = found(ids, self._job.known)
        new = places == NOWHERE
        places[new] = np.arange(new.sum()) + self._next
        self._next += int(new.sum())
        self._places.append(np.full(table.num_rows, NOWHERE))
        self._places[-1][going] = places
        if new.any():
            fresh = table if new.sum() == table.num_rows else table.take(going[new])
            self._ids.append(np.stack([ids[new], fresh[ORIGIN].to_numpy()]))
            self._names.append(fresh.select(["id"]))
            self._sketch(fresh)

    def _sketch(self, fresh: pa.Table) -> None:
        for number, step in enumerate(self._stage.whole):
            sketch, did = sketched(step, fresh, self._name)
            self._sketches[number].append(sketch)
            self.stats[len(self._stage.batch) + number] += did

    def leave(self, folder: Path) -> int:
        """Write places and sketches; returns how many rows were sketched."""
        np.save(folder / PLACES, np.concatenate(self._places))
        ids = np.concatenate(self._ids, axis=1)
        if ids.shape[1]:
            segment.write(folder, ids, pa.concat_tables(self._names), self._sketches)
        return int(ids.shape[1])


def found(ids: Hashes, known: tuple[Segment, ...]) -> NDArray[np.int64]:
    """The position of each id's row in the segments, NOWHERE for new ones; the first of several."""
    places = np.full(len(ids), NOWHERE)
    for held in reversed(known):
        run = held.run("find")
        at = np.minimum(np.searchsorted(run[0], ids), held.rows - 1)
        hit = run[0][at] == ids
        places[hit] = run[1][at[hit]].astype(np.int64) + held.base
    return places

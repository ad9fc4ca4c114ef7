"""Where the whole steps of a stage work."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct

from openflywheel.curate._engine.engine import Engine
from openflywheel.curate._engine.ids import Hashes
from openflywheel.curate._engine.segment import Segment
from openflywheel.curate._engine.stats import Cost
from openflywheel.curate._engine.step import Plan


class Ground(Struct, frozen=True):
    """The sketches of a stage; those before position `since` are from earlier runs.

    `remembers`: this run's links are kept for the next one, which wants every key of a pair.
    """

    plan: Plan
    stage: int
    engine: Engine
    folder: Path
    segments: tuple[Segment, ...]
    since: int
    remembers: bool

    def ids(self) -> Hashes:
        """Hashes of ids and origins by position, shape (2, n)."""
        return np.concatenate([held.ids() for held in self.segments], axis=1)

    def names(self) -> pa.Table:
        """The ids by position, column "id"."""
        return pa.concat_tables([held.names() for held in self.segments])

    def light(self, whole: int, heavy: Sequence[str]) -> pa.Table:
        """The sketches of a whole step by position, without their heavy columns."""
        return pa.concat_tables([held.light(whole, heavy) for held in self.segments])

    def each(self, function: Callable[[Any], Cost], jobs: Sequence[Any]) -> float:
        """Do the jobs that were not done before a kill; the CPU seconds that they took."""
        todo = [job for job in jobs if not job.target.exists()]
        return sum(cost.cpu_seconds for cost in self.engine.each(function, todo))

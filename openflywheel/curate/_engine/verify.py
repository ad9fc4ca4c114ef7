"""The job of one range of rows: which of the candidates really belong together."""

from pathlib import Path

import numpy as np
from msgspec import Struct

from openflywheel.curate._engine import files
from openflywheel.curate._engine.meet import first_of, ordered, sliced
from openflywheel.curate._engine.segment import Segment, Sketches
from openflywheel.curate._engine.stats import Clock, Cost
from openflywheel.curate._engine.step import Plan
from openflywheel.curate._engine.working import failing
from openflywheel.curate._whole import AT_ONCE


class Verify(Struct, frozen=True):
    """Check the links in `parts` whose lower row is within low <= row < high; the good go to `target`.

    With `every` key of a pair, else with one.
    """

    plan: Plan
    stage: int
    whole: int
    low: int
    high: int
    segments: tuple[Segment, ...]
    parts: tuple[Path, ...]
    target: Path
    every: bool

    def __str__(self) -> str:
        return f"rows from {self.low}"


def verify(job: Verify) -> Cost:
    """Write the links that passed, sorted. A pair is looked at once, however many keys it has in common."""
    clock = Clock()
    step = job.plan.stages()[job.stage].whole[job.whole]
    check = job.plan.stages()[job.stage].wholes[job.whole].check
    links = ordered(sliced(job.parts, job.low, job.high))
    first = first_of(links[:2])
    pairs = links[:2, first].astype(np.int64)
    passed = np.ones(pairs.shape[1], bool)
    if check is not None:
        sketches = Sketches(job.segments, job.whole)
        for start in range(0, pairs.shape[1], AT_ONCE):
            part = pairs[:, start : start + AT_ONCE]
            with failing(f"{step.name}, comparing rows,", f"{job}"):
                passed[start : start + AT_ONCE] = check(sketches.take(part[0]), sketches.take(part[1]))
    good = passed[np.cumsum(first) - 1]
    files.save(job.target, links[:, good if job.every else good & first])
    return clock.read()

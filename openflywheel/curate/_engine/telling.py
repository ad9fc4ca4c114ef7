"""Adds up what the jobs report, and tells whoever wants to know."""

import time
from collections.abc import Sequence

from openflywheel.curate._engine.shard import Shard
from openflywheel.curate._engine.stats import Progress, Stats, Told
from openflywheel.curate._engine.step import Step


class Teller:
    """The figures of one run."""

    def __init__(self, shards: Sequence[Shard], told: Told | None) -> None:
        rows = [shard.rows for shard in shards]
        self._total = None if None in rows else sum(n for n in rows if n)
        self._told = told
        self._stats: list[Stats] = []
        self._begin(())

    @property
    def stats(self) -> tuple[Stats, ...]:
        """One for each step that was begun, in their order."""
        return tuple(self._stats)

    def _begin(self, steps: Sequence[Step]) -> None:
        self._first, self._doing = len(self._stats), ", ".join(step.name for step in steps)
        self._started, self._done = time.perf_counter(), 0
        self._stats += [Stats(step=step.name) for step in steps]

    def begin(self, steps: Sequence[Step]) -> None:
        """A stage begins, with these steps."""
        self._begin(steps)

    def shard(self, rows: int, stats: Sequence[Stats], fresh: bool) -> None:
        """A shard's job was done, or (not `fresh`) had been before this process began."""
        for number, did in enumerate(stats, self._first):
            self._stats[number] += did
        self._done += rows
        self._started = self._started if fresh else time.perf_counter()
        self._tell(self._doing, self._done)

    def whole(self, number: int, did: Stats) -> None:
        """A whole step of this stage has settled; `number` counts the stage's steps."""
        self._stats[self._first + number] += did
        self._tell(did.step, did.took)

    def _tell(self, doing: str, done: int) -> None:
        if self._told:
            speed = done / max(time.perf_counter() - self._started, 1e-9)
            self._told(Progress(doing=doing, done=done, total=self._total, speed=speed, steps=self.stats))

"""What a run gives: the curated rows, to be written while they are read, and what that changed."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType

import pyarrow as pa

from openflywheel.curate._engine.curated import Curated
from openflywheel.curate._engine.remember import Memory
from openflywheel.curate._engine.stats import Stats


class Result:
    """The rows of a run. Write them within `with result:`; when the block ends well, the run is over.

    Then the state remembers these rows, and the work folder is removed. When it fails, neither happens: the
    same run goes on from where it was.

    run: names recipe, input and state; a run that is taken up again has the same.
    shards: the curated shards in the order of the input; each can be pickled and read anywhere.
    changed: rows of earlier runs whose marks are others now, as they are now: "id", "drop", and whatever else
        the steps mark. A null in "drop" brings a row back. A row that a later step cut into several is among
        their parents.
    """

    def __init__(
        self, run: str, shards: tuple[Curated, ...], stats: tuple[Stats, ...], changed: pa.Table,
        memory: Memory, held: ExitStack,
    ) -> None:  # fmt: skip
        self.run, self.shards, self.stats, self.changed = run, shards, stats, changed
        self._memory, self._held = memory, held

    @property
    def rows(self) -> int:
        """How many, dropped ones among them."""
        return sum(shard.rows for shard in self.shards)

    def tables(self) -> Iterator[pa.Table]:
        """All rows in the order of the input, dropped ones with their reason, a batch at a time."""
        for shard in self.shards:
            yield from shard.read()

    def __enter__(self) -> "Result":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._held:
            if kind is None:
                self._memory.keep()

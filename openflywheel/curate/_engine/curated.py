"""A shard after a stage: its rows as they were left, and what the whole steps have marked since."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec import Struct

from openflywheel.curate._batches import marked
from openflywheel.curate._engine import files
from openflywheel.curate._engine.advance import PLACES, ROWS
from openflywheel.curate._engine.batches import ORIGIN
from openflywheel.curate._engine.segment import Positions


class Curated(Struct, frozen=True):
    """The shard `name`, left in `folder`; itself a shard, for the next stage or for whoever writes it.

    Its places up to `since` are positions; later ones count from there, and begin at `base`. `marks` is a
    table by position ("row", ascending), None where no whole step followed.
    """

    name: str
    rows: int
    folder: Path
    marks: Path | None = None
    since: int = 0
    base: int = 0

    def positions(self) -> Positions:
        """Where each row's sketch is among all; negative for rows that take no part."""
        places = files.load(self.folder / PLACES)
        return np.where(places >= self.since, places - self.since + self.base, places)

    def read(self) -> Iterator[pa.Table]:
        """The rows with their marks, a batch at a time."""
        if not self.rows:
            return
        start = 0
        for batch in files.batches(self.folder / ROWS):
            table = pa.Table.from_batches([batch]).drop_columns(ORIGIN)
            yield self._marked(table, start) if self.marks else table
            start += table.num_rows

    def _marked(self, table: pa.Table, start: int) -> pa.Table:
        assert self.marks is not None
        marks = files.opened(self.marks).read_all()
        positions = self.positions()[start : start + table.num_rows]
        rows = marks["row"].to_numpy()
        at = np.searchsorted(rows, positions)
        here = np.flatnonzero((at < len(rows)) & (np.append(rows, -2)[at] == positions))
        return marked(table, here, marks.take(at[here]).drop_columns("row"))

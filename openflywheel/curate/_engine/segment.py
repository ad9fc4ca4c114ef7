"""Sketches of some rows, on disk: what a shard's new rows leave, and what a state keeps of earlier runs.

A segment is a folder. For n rows and whole step w it holds
    ids.npy         uint64 (2, n): hashes of the rows' ids, and of the ids they had when the stage began
    find.npy        uint64 (2, n): the first of these sorted, and the row of each
    names.arrow     the ids themselves
    keys-w.npy      uint64 (2, keys): the keys sorted, and the row of each
    sketch-w.arrow  the other columns
Rows count from 0 in each; the place of a segment among all says what to add.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._engine import files
from openflywheel.curate._engine.ids import Hashes
from openflywheel.curate._mixing import mixed
from openflywheel.curate._whole import exploded

Positions = NDArray[np.int64]


class Segment(Struct, frozen=True):
    """The `rows` rows from position `base` on."""

    folder: Path
    base: int
    rows: int

    def ids(self) -> Hashes:
        """Shape (2, rows); see above."""
        return files.load(self.folder / "ids.npy")

    def run(self, name: str) -> Hashes:
        """A sorted file, "find" or "keys-0": shape (2, n), in it rows of the segment."""
        return files.load(self.folder / f"{name}.npy")

    def between(self, name: str, low: int, high: int | None) -> tuple[Hashes, Positions]:
        """Keys with low <= key < high (None: no bound) in their order, and their rows' positions."""
        run = self.run(name)
        start = np.searchsorted(run[0], np.uint64(low))
        end = run.shape[1] if high is None else np.searchsorted(run[0], np.uint64(high))
        return np.array(run[0, start:end]), run[1, start:end].astype(np.int64) + self.base

    def having(self, name: str, wanted: Hashes) -> tuple[Hashes, Positions]:
        """The entries whose key is among `wanted` (sorted, each once), and their rows' positions."""
        run = self.run(name)
        starts, ends = (np.searchsorted(run[0], wanted, side) for side in ("left", "right"))
        sizes = ends - starts
        ahead = np.cumsum(sizes) - sizes  # entries of the keys before
        at = np.arange(sizes.sum()) + np.repeat(starts - ahead, sizes)
        return np.repeat(wanted, sizes), run[1][at].astype(np.int64) + self.base

    def names(self) -> pa.Table:
        """The ids, column "id", memory-mapped."""
        return files.opened(self.folder / "names.arrow").read_all()

    def light(self, whole: int, heavy: Sequence[str]) -> pa.Table:
        """The sketches without their heavy columns, memory-mapped."""
        path = self.folder / f"sketch-{whole}.arrow"
        names = files.opened(path).schema.names
        return files.opened(path, [name for name in names if name not in heavy]).read_all()


def placed(folders: Sequence[tuple[Path, int]], base: int = 0) -> list[Segment]:
    """Segments one after another, from folders and their numbers of rows; empty ones are left out."""
    out = []
    for folder, rows in folders:
        if rows:
            out.append(Segment(folder, base, rows))
        base += rows
    return out


def extent(segments: Sequence[Segment]) -> int:
    """How many positions there are."""
    return segments[-1].base + segments[-1].rows if segments else 0


def write(folder: Path, ids: Hashes, names: pa.Table, sketches: Sequence[Sequence[pa.Table]]) -> None:
    """A new segment: ids of shape (2, n) and as texts, and the sketches of each whole step, by batch."""
    write_ids(folder, ids)
    files.write(folder / "names.arrow", names.combine_chunks().to_batches(), names.schema, None)
    for whole, tables in enumerate(sketches):
        sketch = pa.concat_tables(tables).combine_chunks()
        rows, keys = exploded(sketch)
        write_run(folder / f"keys-{whole}.npy", mixed(keys), rows)
        rest = sketch.drop_columns("keys")
        files.write(folder / f"sketch-{whole}.arrow", rest.to_batches(), rest.schema, None)


def write_ids(folder: Path, ids: Hashes) -> None:
    """The files of ids, shape (2, n)."""
    files.save(folder / "ids.npy", ids)
    write_run(folder / "find.npy", ids[0], np.arange(ids.shape[1]))


def write_run(path: Path, keys: Hashes, rows: NDArray[Any]) -> None:
    """A sorted file of keys and their rows."""
    order = np.argsort(keys, kind="stable")
    files.save(path, np.stack([keys[order], rows[order].astype(np.uint64)]))


class Sketches:
    """Random access to sketches of many segments; what no one asks for stays on disk."""

    def __init__(self, segments: Sequence[Segment], whole: int) -> None:
        self._segments, self._whole = segments, whole
        self._bases = np.array([segment.base for segment in segments])
        self._open: dict[int, tuple[Positions, list[pa.RecordBatch]]] = {}

    def take(self, positions: Positions) -> pa.Table:
        """A sketch for each position, in the given order."""
        order = np.argsort(positions, kind="stable")
        tables = [pa.Table.from_batches([batch]) for batch in self._sorted(positions[order])]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_tables(tables).combine_chunks().take(back)

    def _sorted(self, positions: Positions) -> Iterator[pa.RecordBatch]:
        segments = np.searchsorted(self._bases, positions, "right") - 1
        for segment in np.unique(segments):
            local = positions[segments == segment] - self._bases[segment]
            starts, batches = self._batches(int(segment))
            numbers = np.searchsorted(starts, local, "right") - 1
            for number in np.unique(numbers):
                yield batches[number].take(pa.array(local[numbers == number] - starts[number]))

    def _batches(self, segment: int) -> tuple[Positions, list[pa.RecordBatch]]:
        """The batches of a segment, and at which of its rows each begins."""
        if segment not in self._open:
            path = self._segments[segment].folder / f"sketch-{self._whole}.arrow"
            found = list(files.batches(path))
            ends = np.cumsum([batch.num_rows for batch in found])
            self._open[segment] = ends - [batch.num_rows for batch in found], found
        return self._open[segment]

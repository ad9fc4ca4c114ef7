"""Segments become one, so that a state keeps few: as in a log-structured merge tree (O'Neil et al. 1996)."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._engine import files
from openflywheel.curate._engine.segment import Segment, write_ids, write_run

MOST = 1 << 18  # rows of a merged segment: with 16 keys a row, sorting them takes some 200 MB
AT_ONCE = 8_192  # rows of a batch of sketches


class Merge(Struct, frozen=True):
    """Write adjacent segments as one into `target`; of their rows those to `keep` (by position)."""

    segments: tuple[Segment, ...]
    wholes: int
    target: Path
    keep: NDArray[np.bool_] | None = None

    def __str__(self) -> str:
        return f"segment {self.target.name}"


def groups(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Which segments to merge, as (first, behind the last): a segment is at least twice the next one.

    So that each row is written again about log2(MOST / rows of a run) times, whatever the number of runs.
    """
    out: list[tuple[int, int, int]] = []
    for number, size in enumerate(rows):
        out.append((number, number + 1, size))
        while len(out) > 1 and out[-2][2] < 2 * out[-1][2] and out[-2][2] + out[-1][2] <= MOST:
            _, end, more = out.pop()
            out[-1] = (out[-1][0], end, out[-1][2] + more)
    return [(start, end) for start, end, _ in out]


def merge(job: Merge) -> None:
    """Do the job."""
    start = job.segments[0].base
    keep = [_kept(held, job.keep) for held in job.segments]
    with files.finished(job.target) as folder:
        folder.mkdir()
        ids = [held.ids()[:, rows] for held, rows in zip(job.segments, keep, strict=True)]
        write_ids(folder, np.concatenate(ids, axis=1))
        moved = np.cumsum(np.concatenate(keep)) - 1  # where each row comes to stand
        for whole in range(job.wholes):
            runs = [held.run(f"keys-{whole}") for held in job.segments]
            keys = np.concatenate([run[0] for run in runs])
            rows = np.concatenate([
                run[1].astype(np.int64) + held.base - start
                for run, held in zip(runs, job.segments, strict=True)
            ])  # fmt: skip
            stays = np.concatenate(keep)[rows]
            write_run(folder / f"keys-{whole}.npy", keys[stays], moved[rows[stays]])
        for name in ("names.arrow", *(f"sketch-{whole}.arrow" for whole in range(job.wholes))):
            _merge_tables(job.segments, keep, name, folder)


def _kept(held: Segment, keep: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    return np.ones(held.rows, bool) if keep is None else keep[held.base : held.base + held.rows]


def _merge_tables(
    segments: Sequence[Segment], keep: Sequence[NDArray[np.bool_]], name: str, folder: Path
) -> None:
    schema = files.opened(segments[0].folder / name).schema
    found = (
        batch
        for held, rows in zip(segments, keep, strict=True)
        for batch in _chosen(files.batches(held.folder / name), rows)
    )
    files.write(folder / name, _gathered(found), schema, None)


def _chosen(found: Iterable[pa.RecordBatch], keep: NDArray[np.bool_]) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in found:
        here = keep[start : start + batch.num_rows]
        start += batch.num_rows
        yield batch if here.all() else batch.filter(pa.array(here))


def _gathered(found: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Small batches put together, so that the file of many small runs is no file of many small batches."""
    held: list[pa.RecordBatch] = []
    for batch in found:
        held.append(batch)
        if sum(b.num_rows for b in held) >= AT_ONCE:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)

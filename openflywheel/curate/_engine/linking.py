"""All links of a whole step: met, verified, and those of earlier runs that still hold."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._engine import files
from openflywheel.curate._engine.ground import Ground
from openflywheel.curate._engine.ids import within
from openflywheel.curate._engine.meet import Links, Meet, meet, ordered, ranges
from openflywheel.curate._engine.segment import extent
from openflywheel.curate._engine.verify import Verify, verify

AT_ONCE = 1 << 18  # links of one job of verifying
Mask = NDArray[np.bool_]


class Before(Struct, frozen=True):
    """What the last run left of a whole step: links, which rows took no part, keys of forgotten rows."""

    links: Path | None = None
    out: Path | None = None
    stirred: Path | None = None


def linked(ground: Ground, number: int, out: Mask, before: Before) -> tuple[Links, float]:
    """All links that hold between rows that are not `out`, sorted; and the CPU seconds that the jobs took.

    Leaves `links-w.npy` and `out-w.npy` in the ground's folder: the next run's `before`.
    """
    np.save(ground.folder / f"out-{number}.npy", out)
    met, meeting = _met(ground, number, out, before)
    passed, verifying = _verified(ground, number, met)
    found = [_standing(before, met, out), *(files.load(path) for path in passed)]
    links = ordered(np.concatenate(found, axis=1))
    np.save(ground.folder / f"links-{number}.npy", links)
    return links, meeting + verifying


def _met(ground: Ground, number: int, out: Mask, before: Before) -> tuple[tuple[Path, ...], float]:
    touched = np.ones(len(out), bool)
    if before.out is not None:
        touched[: ground.since] = out[: ground.since] != files.load(before.out)
    at, name = ground.folder, f"keys-{number}"
    np.save(at / f"touched-{number}.npy", touched)
    new = [held for held in ground.segments if held.base >= ground.since]
    jobs = [
        Meet(
            name, low, high, ground.segments, ground.since, at / f"out-{number}.npy",
            at / f"touched-{number}.npy", at / "order.npy", before.stirred, at / f"met-{number}-{part}",
        )
        for part, (low, high) in enumerate(ranges(sum(held.run(name).shape[1] for held in new)))
    ]  # fmt: skip
    return tuple(job.target for job in jobs), ground.each(meet, jobs)


def _verified(ground: Ground, number: int, met: tuple[Path, ...]) -> tuple[list[Path], float]:
    size = sum(files.load(part / "links.npy").shape[1] for part in met)
    rows, pieces = extent(ground.segments), max(1, -(-size // AT_ONCE))
    bounds = [rows * piece // pieces for piece in range(pieces + 1)]
    jobs = [
        Verify(
            ground.plan, ground.stage, number, low, high, ground.segments, met,
            ground.folder / f"passed-{number}-{piece}.npy", ground.remembers,
        )
        for piece, (low, high) in enumerate(pairwise(bounds))
    ]  # fmt: skip
    return [job.target for job in jobs], ground.each(verify, jobs)


def _standing(before: Before, met: Sequence[Path], out: Mask) -> Links:
    """Links of earlier runs that still hold: both rows take part, and their key was not looked at anew."""
    if before.links is None:
        return np.empty((3, 0), np.uint64)
    links = files.load(before.links)
    void = np.sort(np.concatenate([files.load(part / "void.npy") for part in met]))
    return links[:, ~(out[links[0]] | out[links[1]] | within(links[2], void))]

"""The job of one range of keys: which rows have a key in common.

Every segment's keys are sorted, so a range of them is a slice of each file: no keys are moved before they
meet. They leave links: uint64 of shape (3, n), two rows (the lower position first) and the key that brought
them together. Only keys of `touched` rows are looked at (new ones, and old ones that came or went by another
step's marks); the links of all other keys are known from the run before.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._engine import files
from openflywheel.curate._engine.ids import Hashes, within
from openflywheel.curate._engine.segment import Positions, Segment
from openflywheel.curate._engine.stats import Clock, Cost
from openflywheel.curate._whole import WIDEST

AT_ONCE = 1 << 20  # keys of one job: some 100 MB
Links = NDArray[np.uint64]


class Meet(Struct, frozen=True):
    """Bring together the rows whose keys lie in low <= key < high; rows from position `since` on are new.

    Files: `out` (bool, by position: rows that take no part), `touched` (bool, by position), `order` (hash of
    each row's id, by position), `stirred` (sorted keys of rows that were forgotten).
    """

    name: str
    low: int
    high: int | None
    segments: tuple[Segment, ...]
    since: int
    out: Path
    touched: Path
    order: Path
    stirred: Path | None
    target: Path

    def __str__(self) -> str:
        return f"keys from {self.low:x} of {self.name}"


def ranges(keys: int) -> list[tuple[int, int | None]]:
    """Equal ranges of all keys, so many that each holds about AT_ONCE of them."""
    pieces = max(1, -(-keys // AT_ONCE))
    bounds = [(number << 64) // pieces for number in range(pieces)]
    return list(zip(bounds, [*bounds[1:], None], strict=True))


def meet(job: Meet) -> Cost:
    """Write the links of a range, sorted by rows, and beside them the keys whose old links are void."""
    clock = Clock()
    touched, out = files.load(job.touched), files.load(job.out)
    keys, rows, stirred = _entries(job, touched)
    keys, rows, sizes = _shared(keys, rows)
    wide = (sizes > WIDEST) | within(keys, stirred)
    going = ~out[rows]
    links = linked(keys[going], rows[going], files.load(job.order))
    void = np.unique(keys[wide])
    if job.since:
        new = touched[links[0]] | touched[links[1]] | within(links[2], void)
        links = links[:, new]
    with files.finished(job.target) as folder:
        folder.mkdir()
        files.save(folder / "links.npy", links)
        files.save(folder / "void.npy", void if job.since else void[:0])
    return clock.read()


def _entries(job: Meet, touched: NDArray[np.bool_]) -> tuple[Hashes, Positions, Hashes]:
    """All entries of the keys to be looked at, and those of the keys that were stirred."""
    whole = [held.between(job.name, job.low, job.high) for held in job.segments if held.base >= job.since]
    old = [held for held in job.segments if held.base < job.since]
    keys, rows = (np.concatenate(column) for column in zip(*whole, strict=True)) if whole else _NONE
    if not old:
        return keys, rows, _NONE[0]
    stirred = _stirred(job)
    back = [_touched(held, job, touched) for held in old]
    wanted = np.unique(np.concatenate([keys, *back, stirred]))
    more = [held.having(job.name, wanted) for held in old]
    keys, rows = (np.concatenate(column) for column in zip((keys, rows), *more, strict=True))
    return keys, rows, stirred


_NONE: tuple[Hashes, Positions] = np.empty(0, np.uint64), np.empty(0, np.int64)


def _touched(held: Segment, job: Meet, touched: NDArray[np.bool_]) -> Hashes:
    """Keys of an old segment's touched rows."""
    if not touched[held.base : held.base + held.rows].any():
        return _NONE[0]
    keys, rows = held.between(job.name, job.low, job.high)
    return keys[touched[rows]]


def _stirred(job: Meet) -> Hashes:
    if job.stirred is None:
        return _NONE[0]
    keys = files.load(job.stirred)
    high = len(keys) if job.high is None else np.searchsorted(keys, np.uint64(job.high))
    return np.array(keys[np.searchsorted(keys, np.uint64(job.low)) : high])


def _shared(keys: Hashes, rows: Positions) -> tuple[Hashes, Positions, NDArray[np.int64]]:
    """The entries whose key stands more than once, sorted by key, and how often it does."""
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], rows[order]
    sizes = _sizes(keys)
    many = sizes > 1
    return keys[many], rows[many], sizes[many]


def _sizes(keys: Hashes) -> NDArray[np.int64]:
    """How often each of the sorted keys stands there."""
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, np.int64)
    sizes = np.diff(np.r_[starts, len(keys)])
    return np.repeat(sizes, sizes)


def linked(keys: Hashes, rows: Positions, order: Hashes) -> Links:
    """The rule of `candidates` (_whole.py), with the key of every pair; keys are sorted.

    Rows of one key stand in the order of their ids' hashes, so that it does not count how they came.
    """
    at = np.lexsort((rows, order[rows], keys))
    keys, rows = keys[at], rows[at]
    size = _sizes(keys)
    first = np.searchsorted(keys, keys)
    place = np.arange(len(keys)) - first
    found = [np.empty((3, 0), np.uint64)]
    for step in range(1, min(WIDEST, int(size.max(initial=1)))):
        here = np.flatnonzero((place + step < size) & ((size <= WIDEST) | (step == 1)))
        found.append(_pairs(keys[here], rows[here], rows[here + step]))
    far = np.flatnonzero((size > WIDEST) & (place > 0))
    found.append(_pairs(keys[far], rows[first[far]], rows[far]))
    return ordered(np.concatenate(found, axis=1))


def _pairs(keys: Hashes, left: Positions, right: Positions) -> Links:
    low, high = np.minimum(left, right), np.maximum(left, right)
    different = low != high
    return np.stack([low.astype(np.uint64), high.astype(np.uint64), keys])[:, different]


def ordered(links: Links) -> Links:
    """Links sorted by rows, then keys; each once."""
    links = links[:, np.lexsort((links[2], links[1], links[0]))]
    return links[:, first_of(links)]


def first_of(links: Links) -> NDArray[np.bool_]:
    """Which columns differ from the one before."""
    if not links.shape[1]:
        return np.empty(0, bool)
    fresh: NDArray[np.bool_] = np.r_[True, (links[:, 1:] != links[:, :-1]).any(axis=0)]
    return fresh


def sliced(parts: Sequence[Path], low: int, high: int) -> Links:
    """The links whose lower row is within low <= row < high."""
    found = [np.empty((3, 0), np.uint64)]
    for part in parts:
        links = files.load(part / "links.npy")
        start, end = np.searchsorted(links[0], np.array([low, high], np.uint64))
        found.append(np.array(links[:, start:end]))
    return np.concatenate(found, axis=1)

"""From pairs of likes to stars: a row goes only if it is itself like the row that stays.

Likeness is not transitive, and chains of it join texts that have nothing in common; so no components. Rows
are taken from the best on: one that is like no row that stays, stays (the lexicographically first maximal
independent set).

One exception. Rows of a crowded key are compared with its first row only, not with each other (`candidates`).
So a row that is like `WIDEST` others stands in for all of them, and they count as like each other. Both
measures are metrics (Jaccard distance, angle), so such two are at most twice as far apart as likes may be:
J >= .6 for likes of .8, cosine >= .88 for .97.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from openflywheel.curate._whole import WIDEST, Pairs

Index = NDArray[np.int64]


def stars(pairs: Pairs, count: int) -> Index:
    """For each of `count` rows, numbered from the best on, the best row that stays for it, or itself."""
    groups, rows = _groups(pairs, count)
    stays = _staying(groups, rows, count)[rows]
    of_group = np.full(count + len(pairs), count)
    of_group[groups[stays]] = rows[stays]  # one at the most: members of a group are like each other
    best = np.full(count, count)
    np.minimum.at(best, rows, of_group[groups])
    return np.where(best < count, best, np.arange(count))


def _staying(groups: Index, rows: Index, count: int) -> NDArray[np.bool_]:
    """Which rows stay: from the best on, those in no group of a row that stays.

    One by one, .4 s for a million places in groups. In rounds it is faster, but then a chain of likes costs
    the square of its length: 3 s for 20,000.
    """
    order = np.argsort(rows, kind="stable")
    begins = np.flatnonzero(np.diff(rows[order], prepend=-1))
    of_all = groups[order].tolist()
    stays, taken = bytearray(count), bytearray(groups.max(initial=0) + 1)
    for row, (first, last) in zip(
        rows[order][begins].tolist(), pairwise([*begins.tolist(), len(of_all)]), strict=True
    ):
        mine = of_all[first:last]
        if not any(map(taken.__getitem__, mine)):
            stays[row] = 1
            for group in mine:
                taken[group] = 1
    return np.frombuffer(stays, bool)


def _groups(pairs: Pairs, count: int) -> tuple[Index, Index]:
    """(group, row): every pair is a group, and every crowded row with all that it is like."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    crowded = np.bincount(both[:, 0], minlength=count) >= WIDEST
    hubs = both[crowded[both[:, 0]]]
    centres = np.flatnonzero(crowded)
    few = pairs[~crowded[pairs].any(axis=1)]
    groups = np.concatenate([hubs[:, 0], centres, count + np.repeat(np.arange(len(few)), 2)])
    rows = np.concatenate([hubs[:, 1], centres, few.ravel()])
    return groups, rows

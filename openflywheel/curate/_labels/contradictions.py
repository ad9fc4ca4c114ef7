"""Labels of one text that contradict each other."""

from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


def contradicted(
    same: NDArray[np.uint64], given: Places, trust: Places, subject: NDArray[np.uint64]
) -> tuple[Places, Places]:
    """Rows whose label has no more behind it than another label of the same text, and that other label.

    same: equal for rows of one text. subject: whose row it is, 0 for nobody's. A label has the trust of the
    most trusted person who gave it behind it, then the number of people so trusted. Of several other labels,
    the one with the most behind it; of equals the smallest.
    """
    doubted, instead = [], []
    for rows in _groups(same, given):
        people = np.where(subject[rows] > 0, subject[rows].astype(object), -1 - rows)
        behind = _behind(set(zip(given[rows].tolist(), trust[rows].tolist(), people, strict=True)))
        for row in rows.tolist():
            own = int(given[row])
            most, other = max((behind[label], -label) for label in behind if label != own)
            if most >= behind[own]:
                doubted.append(row)
                instead.append(-other)
    return np.array(doubted, np.int64), np.array(instead, np.int64)


def _groups(same: NDArray[np.uint64], given: Places) -> Iterator[Places]:
    """Rows of one text that have several labels."""
    if not len(same):
        return
    order = np.argsort(same, kind="stable")
    starts = np.flatnonzero(np.r_[True, same[order][1:] != same[order][:-1]])
    bounds = np.r_[starts, len(order)]
    labels = given[order]
    several = np.minimum.reduceat(labels, starts) < np.maximum.reduceat(labels, starts)
    for group in np.flatnonzero(several).tolist():
        yield order[bounds[group] : bounds[group + 1]]


def _behind(said: Collection[tuple[int, int, int]]) -> dict[int, tuple[int, int]]:
    """Label -> the highest trust, and how many people have it; from label, trust and person."""
    found = dict.fromkeys((label for label, _, _ in said), (-1, 0))
    for (label, trusted), people in Counter((label, trusted) for label, trusted, _ in said).items():
        found[label] = max(found[label], (trusted, people))
    return found

"""How far a teacher may be trusted, class by class, by the rows where a person spoke as well.

A class is what the teacher said: of its rows "refund", how many are refunds? The confusions of Dawid & Skene
1979 with people's labels as the truth, so that nothing has to be iterated. In a class where the teacher is
often wrong its rows are sorted anew by the likest one that a person checked.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from openflywheel.base.forms.prompt import Encoder
from openflywheel.base.nouns import Row

DRAWN = 4.0  # rows by which a class is drawn towards the mean of all: many were checked but once or twice


class Class(Struct, frozen=True):
    """What people said to rows that the teacher gave one label; `vectors` are these rows' unit vectors."""

    name: str
    truths: list[str]
    vectors: NDArray[np.float32]

    @property
    def right(self) -> int:
        """Rows on which the teacher is right."""
        return self.truths.count(self.name)

    @property
    def resorted(self) -> int:
        """Rows that would be right by the likest other one."""
        likeness = self.vectors @ self.vectors.T
        np.fill_diagonal(likeness, -np.inf)
        nearest = zip(self.truths, likeness.argmax(axis=1).tolist(), strict=True)
        return sum(truth == self.truths[place] for truth, place in nearest) if len(self.truths) > 1 else 0

    def sort(self, vectors: NDArray[np.float32]) -> list[str]:
        """For each vector what a person said to the likest row."""
        return [self.truths[place] for place in (vectors @ self.vectors.T).argmax(axis=1).tolist()]


class Reliability(Struct, frozen=True):
    """The chance that the teacher is right, over all rows, and the classes in which people checked it.

    checked: rows where both spoke.
    """

    overall: float
    classes: dict[str, Class]
    checked: int

    def drawn(self, right: int, of: int) -> float:
        """Share of a class, drawn towards the mean of all."""
        return (right + DRAWN * self.overall) / (of + DRAWN)


def reliability(people: Sequence[Row], said: Mapping[str, str], task: str, encoder: Encoder) -> Reliability:
    """By people's rows and what the teacher said to them, by row id; over all with a uniform prior."""
    both = [row for row in people if row.id in said]
    if not both:
        return Reliability(0.5, {}, 0)
    vectors = encoder.encode([row.text for row in both])
    names, given = np.unique([said[row.id] for row in both], return_inverse=True)
    truths = [row.labels[task] for row in both]
    places = ((str(name), np.flatnonzero(given == n)) for n, name in enumerate(names))
    classes = {name: Class(name, [truths[p] for p in own.tolist()], vectors[own]) for name, own in places}
    right = sum(found.right for found in classes.values())
    return Reliability((right + 1) / (len(both) + 2), classes, len(both))


def trusted(rows: Sequence[Row], task: str, found: Reliability, least: float, encoder: Encoder) -> list[Row]:
    """The teacher's rows that may teach, weighing as much as they are right.

    A class in which the teacher is right less often than `least` is sorted anew; where that is no better, its
    rows are left out.
    """
    by_class = dict[str, list[Row]]()
    for row in rows:
        by_class.setdefault(row.labels[task], []).append(row)
    return [row for name, own in by_class.items() for row in _of(name, own, task, found, least, encoder)]


def _of(
    name: str, rows: Sequence[Row], task: str, found: Reliability, least: float, encoder: Encoder
) -> Iterator[Row]:
    known = found.classes.get(name, Class(name, [], np.zeros((0, 0), np.float32)))
    chance, labels = found.drawn(known.right, len(known.truths)), [name] * len(rows)
    if chance < least and known.truths:
        chance = found.drawn(known.resorted, len(known.truths))
        labels = known.sort(encoder.encode([row.text for row in rows]))
    if chance >= least:
        for row, label in zip(rows, labels, strict=True):
            own = {**row.labels, task: label}
            yield structs.replace(row, labels=own, weight=row.weight * chance)


def bounded(rows: Sequence[Row], people: Sequence[Row], most: float) -> list[Row]:
    """The rows, made lighter where all of them together outweigh `most` times the people's."""
    total, bound = sum(row.weight for row in rows), most * sum(row.weight for row in people)
    factor = min(1.0, bound / total) if total else 1.0
    return [structs.replace(row, weight=row.weight * factor) for row in rows]

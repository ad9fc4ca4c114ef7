"""What an encoder is tuned with, and judged by."""

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.vectors import Matrix, classes
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson
from openflywheel.customize._people import Places, numbered, person

Tokens = Callable[[Sequence[str]], list[list[int]]]

LEAST_WEIGHT = 1e-3  # of a row: a class whose rows weigh nothing has no mean
APART = 0.2  # of the rows


class Examples(Struct, frozen=True):
    """Texts with their token ids, places of their labels among `labels` (-1: not there), weights (n,), and
    whose each is.
    """

    texts: Sequence[str]
    ids: Sequence[Sequence[int]]
    right: Places
    weight: Matrix
    labels: tuple[str, ...]
    people: Sequence[str]

    def part(self, rows: NDArray[np.intp]) -> "Examples":
        """Some of them."""
        texts, people = ([each[row] for row in rows] for each in (self.texts, self.people))
        ids = [self.ids[row] for row in rows]
        return Examples(texts, ids, self.right[rows], self.weight[rows], self.labels, people)


def examples_of(lesson: Lesson, tokens: Tokens) -> tuple[Examples, Examples | None]:
    """A lesson's rows, and its validation rows when one of them has a label that the rows have too.

    Raises SettingsError for fewer than two labels.
    """
    task = lesson.dataset.task
    labels, _ = classes([row.labels[task] for row in lesson.rows])
    if len(labels) < 2:
        raise SettingsError(
            f"task {task!r} has examples of {len(labels)} label; a classifier needs two:"
            " label more: flywheel experts"
        )
    rows, validation = (_examples(each, task, labels, tokens) for each in (lesson.rows, lesson.validation))
    return rows, validation if (validation.right >= 0).any() else None


def _examples(rows: Sequence[Row], task: str, labels: tuple[str, ...], tokens: Tokens) -> Examples:
    place, texts = {label: place for place, label in enumerate(labels)}, [row.text for row in rows]
    right = np.array([place.get(row.labels[task], -1) for row in rows], np.intp)
    weight = np.maximum([row.weight for row in rows], LEAST_WEIGHT).astype(np.float32)
    return Examples(texts, tokens(texts), right, weight, labels, [person(row) for row in rows])


def apart(examples: Examples, seed: int) -> tuple[Examples, Examples]:
    """Four fifths to rehearse with, and a fifth to judge by, in which every label is one of the former.

    A person's rows lie on one side, while somebody else's teach all labels; where nobody's can be spared, as
    with one person alone, rows are parted one by one. So labels of few rows are judged less than others.
    Raises SettingsError when no label has two rows.
    """
    for who in (numbered(examples.people), np.arange(len(examples.right))):
        judge = _spared(examples.right, who, seed)
        if len(judge):
            rest = np.setdiff1d(np.arange(len(who)), judge)
            return examples.part(rest), examples.part(judge)
    raise SettingsError(
        f"encoder_lora has one row of each of {len(examples.right)} labels: none is left to judge by; label"
        " more: flywheel experts, or take the trainer head"
    )


def _spared(right: Places, who: Places, seed: int) -> Places:
    """About a fifth of the rows: of people drawn by lot, but of none who comes first with a label.

    Whose rows would be too many is passed over; if all would, it is the one with the fewest.
    """
    turn = np.random.default_rng(seed).permutation(int(who.max()) + 1)
    place = np.argsort(turn)[who]  # of each row's person in that order
    first = np.full(int(right.max()) + 1, len(turn))
    np.minimum.at(first, right, place)
    rows, most = np.bincount(place), max(1, round(APART * len(right)))
    spare = np.setdiff1d(np.arange(len(turn)), first)
    found, left = list[int](), most
    for one in spare.tolist():
        if rows[one] <= left:
            found.append(one)
            left -= int(rows[one])
    if not found and len(spare):
        found = [int(spare[rows[spare].argmin()])]
    return np.flatnonzero(np.isin(place, found))

"""What an encoder is tuned with, and judged by."""

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.vectors import Matrix, classes
from openflywheel.base.nouns import Row
from openflywheel.customize import Lesson
from openflywheel.customize._fitting import Places

Tokens = Callable[[Sequence[str]], list[list[int]]]

LEAST_WEIGHT = 1e-3  # of a row: a class whose rows weigh nothing has no mean
APART = 0.2  # of the rows


class Examples(Struct, frozen=True):
    """Texts with their token ids, places of their labels among `labels` (-1: not there), and weights (n,)."""

    texts: Sequence[str]
    ids: Sequence[Sequence[int]]
    right: Places
    weight: Matrix
    labels: tuple[str, ...]

    def part(self, rows: NDArray[np.intp]) -> "Examples":
        """Some of them."""
        texts, ids = [self.texts[row] for row in rows], [self.ids[row] for row in rows]
        return Examples(texts, ids, self.right[rows], self.weight[rows], self.labels)


def examples_of(lesson: Lesson, tokens: Tokens) -> tuple[Examples, Examples | None]:
    """A lesson's rows, and its validation rows when one of them has a label that the rows have too.

    Raises SettingsError for fewer than two labels.
    """
    task = lesson.dataset.task
    labels, _ = classes([row.labels[task] for row in lesson.rows])
    if len(labels) < 2:
        raise SettingsError(f"task {task!r} has examples of {len(labels)} label; a classifier needs two")
    rows, validation = (_examples(each, task, labels, tokens) for each in (lesson.rows, lesson.validation))
    return rows, validation if (validation.right >= 0).any() else None


def _examples(rows: Sequence[Row], task: str, labels: tuple[str, ...], tokens: Tokens) -> Examples:
    place, texts = {label: place for place, label in enumerate(labels)}, [row.text for row in rows]
    right = np.array([place.get(row.labels[task], -1) for row in rows], np.intp)
    weight = np.maximum([row.weight for row in rows], LEAST_WEIGHT).astype(np.float32)
    return Examples(texts, tokens(texts), right, weight, labels)


def apart(examples: Examples, seed: int) -> tuple[Examples, Examples]:
    """Four fifths to rehearse with, and a fifth to judge by, in which every label is one of the former.

    So labels of few rows are judged less than others. Raises SettingsError when no label has two rows.
    """
    order = np.random.default_rng(seed).permutation(len(examples.right))
    _, first = np.unique(examples.right[order], return_index=True)
    spare = np.setdiff1d(np.arange(len(order)), first)
    if not len(spare):
        raise SettingsError(
            f"encoder_lora has one row of each of {len(first)} labels: none is left to judge by; label more,"
            " or take the trainer head"
        )
    judge = order[spare[: max(1, round(APART * len(order)))]]
    return examples.part(np.setdiff1d(order, judge)), examples.part(np.sort(judge))

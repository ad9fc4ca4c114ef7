"""Dataset -> Model: teach a candidate.

A trainer is one file here; its `KINDS` names the kinds of task that it can teach:

    def head(lesson, *, kinds=("ridge", "logistic")) -> Model
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.door import function_of
from openflywheel.base.nouns import Arrow, Dataset, Model, Row
from openflywheel.base.room import Given

ARROW = Arrow(takes=Dataset, gives=Model, given=(Row,))


class Lesson(Struct, frozen=True):
    """A training set with its rows: what a trainer learns from."""

    dataset: Dataset
    rows: Sequence[Row]


Trainer = Callable[[Lesson], Model]


def run(
    took: Sequence[Dataset], given: Given, plugins: Sequence[Trainer], *, kinds: Mapping[str, str]
) -> Iterator[Model]:
    """Teach one candidate a task and trainer, from the newest training set.

    `kinds` maps a task to its kind; a trainer is spared the tasks of a kind that it can't teach.
    """
    newest = {d.task: d for d in took if d.role == "train"}
    for dataset in newest.values():
        lesson = Lesson(dataset, given.rows(dataset))
        for trainer in plugins:
            if kinds[dataset.task] in teaches(trainer):
                yield trainer(lesson)


def teaches(trainer: Trainer) -> tuple[str, ...]:
    """Kinds of task that a trainer can teach: the `KINDS` of its module."""
    return tuple(getattr(sys.modules[function_of(trainer).__module__], "KINDS", ()))

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

ARROW = Arrow(takes=Dataset, gives=Model, given=(Dataset, Row))


class Lesson(Struct, frozen=True):
    """A training set with its rows: what a trainer learns from.

    A row's `text` is what was asked, its label for the task what is right: a label, a text, a number, an
    item's id, as the task's `kind` has it. `validation` rows choose among candidates; none of them taught.
    """

    dataset: Dataset
    rows: Sequence[Row]
    kind: str = "label"
    validation: Sequence[Row] = ()


Trainer = Callable[[Lesson], Model]


def run(
    took: Sequence[Dataset], given: Given, plugins: Sequence[Trainer], *, kinds: Mapping[str, str]
) -> Iterator[Model]:
    """Teach one candidate a task and trainer, from the newest training set.

    `kinds` maps a task to its kind; a trainer is spared the tasks of a kind that it can't teach.
    """
    newest = {d.task: d for d in took if d.role == "train"}
    for task, dataset in newest.items():
        wanted = [trainer for trainer in plugins if kinds[task] in teaches(trainer)]
        if wanted:
            lesson = _lesson(dataset, kinds[task], given)
            for trainer in wanted:
                yield trainer(lesson)


def _lesson(dataset: Dataset, kind: str, given: Given) -> Lesson:
    beside = [d for d in given.all(Dataset) if (d.task, d.role) == (dataset.task, "validation")]
    validation = given.rows(beside[-1]) if beside and beside[-1].recipe == dataset.recipe else []
    return Lesson(dataset, given.rows(dataset), kind, validation)


def teaches(trainer: Trainer) -> tuple[str, ...]:
    """Kinds of task that a trainer can teach: the `KINDS` of its module."""
    return tuple(getattr(sys.modules[function_of(trainer).__module__], "KINDS", ()))

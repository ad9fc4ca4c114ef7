"""Dataset -> Model: teach a candidate.

A trainer is one file here; its `KINDS` names the kinds of task that it can teach:

    def head(lesson, *, kinds=("ridge", "logistic")) -> Model
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from openflywheel.base.nouns import Arrow, Dataset, Model, Row
from openflywheel.base.room import Given

ARROW = Arrow(takes=Dataset, gives=Model, given=(Row,))


class Lesson(Struct, frozen=True):
    """A training set with its rows: what a trainer learns from."""

    dataset: Dataset
    rows: Sequence[Row]


Trainer = Callable[[Lesson], Model]


def run(took: Sequence[Dataset], given: Given, plugins: Sequence[Trainer]) -> Iterator[Model]:
    """Teach one candidate a task and trainer, from the newest training set."""
    newest = {d.task: d for d in took if d.role == "train"}
    for dataset in newest.values():
        lesson = Lesson(dataset, given.rows(dataset))
        for trainer in plugins:
            yield trainer(lesson)

"""Dataset -> Model: teach a candidate.

A trainer is one file here; its `KINDS` names the kinds of task that it can teach:

    def head(lesson, *, kinds=("ridge", "logistic")) -> Model
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from openflywheel.base.door import function_of, name_of
from openflywheel.base.nouns import Arrow, Dataset, Model, Role, Row
from openflywheel.base.room import Given
from openflywheel.customize._budget import Allow, foreseen, refused, told
from openflywheel.customize._waiting import State, Taught, Waiting, late, taught

ARROW = Arrow(takes=Dataset, gives=Model, given=(Dataset, Row, Model), stateful=True)


class Lesson(Struct, frozen=True):
    """A training set with its rows: what a trainer learns from.

    A row's `text` is what was asked, its label for the task what is right: a label, a text, a number, an
    item's id, as the task's `kind` has it. `validation` rows choose among candidates; none of them taught.
    `preference` rows hold answers that people liked or did not (base/thumbs.py); so do those rows that say
    which answer was rejected.
    """

    dataset: Dataset
    rows: Sequence[Row]
    kind: str = "label"
    validation: Sequence[Row] = ()
    preference: Sequence[Row] = ()

    def model(
        self, method: str, place: Path, *, base: str, report: dict[str, float], start: float, name: str = ""
    ) -> Model:
        """The Model whose artefact a trainer has kept at `place`; it cost the CPU time since `start`."""
        return Model(
            name=f"{self.dataset.task}-{name or method.partition('.')[0]}",
            task=self.dataset.task,
            base=base,
            method=method,
            taught_by=(self.dataset.id,),
            uri=f"{place.parent.name}/{place.name}",
            cost=time.process_time() - start,
            report=report,
        )


Trainer = Callable[[Lesson], Model | Iterable[Taught | Waiting]]


def run(
    took: Sequence[Dataset],
    given: Given,
    plugins: Sequence[Trainer],
    *,
    kinds: Mapping[str, str],
    allow: Allow,
    state: State,
) -> Iterator[Taught]:
    """Teach one candidate a task and trainer, from the newest training set.

    `kinds` maps a task to its kind; a trainer is spared the tasks of a kind that it can't teach. One whose
    estimate `allow` refuses waits, and so does one that waits for a provider: `state` names them, and they
    are shown their task again in the next turn.
    """
    changed = {d.task for d in took if d.role in ("train", "preference")}
    newest = {(d.task, d.role): d for d in given.all(Dataset)}
    waits = late(state)
    for task in [task for task, role in newest if role == "train"]:
        wanted = [
            trainer
            for trainer in plugins
            if kinds[task] in teaches(trainer)
            and (task in changed or name_of(trainer) in waits.get(task, ()))
        ]
        if wanted:
            lesson = _lesson(newest, task, kinds[task], given)
            for trainer in wanted:
                gave = _teach(trainer, lesson, allow)
                yield from taught(gave, name_of(trainer), task, given, state)


def _teach(trainer: Trainer, lesson: Lesson, allow: Allow) -> Iterator[Taught | Waiting]:
    if estimate := foreseen(trainer, lesson):
        yield from told(trainer, lesson.dataset.task, estimate)
        if not allow(name_of(trainer), estimate):
            yield Waiting(refused(trainer, estimate))
            return
    gave = trainer(lesson)
    yield from [gave] if isinstance(gave, Model) else gave


def _lesson(newest: Mapping[tuple[str, Role], Dataset], task: str, kind: str, given: Given) -> Lesson:
    dataset = newest[task, "train"]

    def beside(role: Role) -> Sequence[Row]:
        found = newest.get((task, role))
        return given.rows(found) if found and found.recipe == dataset.recipe else ()

    return Lesson(dataset, given.rows(dataset), kind, beside("validation"), beside("preference"))


def teaches(trainer: Trainer) -> tuple[str, ...]:
    """Kinds of task that a trainer can teach: the `KINDS` of its module."""
    return tuple(getattr(sys.modules[function_of(trainer).__module__], "KINDS", ()))

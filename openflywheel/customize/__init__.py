"""Dataset -> Model: teach a candidate.

A trainer is one file here; its `KINDS` names the kinds of task that it can teach:

    def head(lesson, *, kinds=("ridge", "logistic")) -> Model
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path

from msgspec import Struct

from openflywheel.base.door import function_of, name_of
from openflywheel.base.instruments import artefact
from openflywheel.base.nouns import Arrow, Dataset, Drop, Model, Role, Row
from openflywheel.base.room import Given
from openflywheel.customize._budget import Allow, foreseen, refused, told
from openflywheel.customize._seen import by_name, identity, see, unseen
from openflywheel.customize._waiting import State, Taught, Waiting, late, taught, to_its_end
from openflywheel.customize._workspace import place_of, tidy

ARROW = Arrow(takes=Dataset, gives=Model, given=(Dataset, Row, Model), stateful=True)


class Lesson(Struct, frozen=True):
    """A training set with its rows: what a trainer learns from.

    A row's `text` is what was asked, its label for the task what is right: a label, a text, a number, an
    item's id, as the task's `kind` has it. `validation` rows choose among candidates; none of them taught.
    `preference` rows hold answers that people liked or did not (base/thumbs.py); so do those rows that say
    which answer was rejected. `items` are what a rank task can answer with (base/items.py), of the dataset
    `catalogue`: no examples, so they count neither as rows nor in a budget.
    """

    dataset: Dataset
    rows: Sequence[Row]
    kind: str = "label"
    validation: Sequence[Row] = ()
    preference: Sequence[Row] = ()
    items: Sequence[Row] = ()
    catalogue: str = ""

    @property
    def taught_by(self) -> tuple[str, ...]:
        """The ids of the datasets of its examples and of its items."""
        return tuple(filter(None, (self.dataset.id, self.catalogue)))

    def place(self, workspace: Path, trainer: str) -> Path:
        """The folder in the room's workspace for what a trainer keeps while it is at work on this.

        The room removes it, once the Model is in the store.
        """
        return place_of(workspace, self.dataset.id, trainer)

    def model(
        self, method: str, place: Path, *, base: str, report: dict[str, float], start: float, name: str = ""
    ) -> Model:
        """The Model whose artefact a trainer has kept at `place`; it cost the CPU time since `start`."""
        return Model(
            name=f"{self.dataset.task}-{name or method.partition('.')[0]}",
            task=self.dataset.task,
            base=base,
            method=method,
            taught_by=self.taught_by,
            uri=f"{place.parent.name}/{place.name}",
            cost=time.process_time() - start,
            report=report,
        )


Trainer = Callable[[Lesson], Model | Iterable[Taught | Waiting]]
Newest = Mapping[tuple[str, Role], Dataset]
Named = dict[str, list[Trainer]]


def run(
    took: Sequence[Dataset],
    given: Given,
    plugins: Sequence[Trainer],
    *,
    kinds: Mapping[str, str],
    allow: Allow,
    state: State,
    workspace: Path,
    artefacts: Path,
) -> Iterator[Taught]:
    """Teach one candidate a task and trainer, from the newest training set.

    `kinds` maps a task to its kind; a trainer is spared the tasks of a kind that it can't teach. One that is
    new, or has other settings than before, is shown the newest set too. One whose estimate `allow` refuses
    waits, and so does one that waits for a provider; one that fails is reported, and the others go on.
    `state` names all of these, and they are shown their task again in the next turn. What is kept in the
    `workspace` for others goes, and what a crash has left in `artefacts`.
    """
    datasets = given.all(Dataset)
    newest = {(d.task, d.role): d for d in datasets}
    fresh = {d.task for d in took if d.role in ("train", "preference", "items")}
    shown = {task: _shown(task, task in fresh, kinds[task], plugins, state) for task in _tasks(newest, kinds)}
    at_work = {(newest[task, "train"].id, name) for task, named in shown.items() for name in named}
    tidy(workspace, [d.id for d in datasets if d.role == "train"], at_work)
    artefact.tidy(artefacts)
    for task, named in shown.items():
        lesson = cache(partial(_lesson, newest, task, kinds[task], given))
        for name, trainers in named.items():
            see(state, task, name, identity(trainers))
            gave = [to_its_end(_teach(trainer, lesson, allow), name, task) for trainer in trainers]
            yield from taught(chain.from_iterable(gave), name, task, given, state)
        if task in fresh and plugins and not any(kinds[task] in teaches(trainer) for trainer in plugins):
            yield Drop(f"{task}: no trainer in flywheel.yaml teaches its kind, {kinds[task]}")


def _tasks(newest: Newest, kinds: Mapping[str, str]) -> list[str]:
    """Those that there still are and that have a training set."""
    return [task for task, role in newest if role == "train" and task in kinds]


def _shown(task: str, fresh: bool, kind: str, plugins: Sequence[Trainer], state: State) -> Named:
    """The trainers that are shown a task, by name: all when its data are `fresh`."""
    able = by_name([trainer for trainer in plugins if kind in teaches(trainer)])
    waiting = late(state).get(task, ())
    return {
        name: uses
        for name, uses in able.items()
        if fresh or name in waiting or unseen(state, task, name, identity(uses))
    }


def _teach(trainer: Trainer, read: Callable[[], Lesson], allow: Allow) -> Iterator[Taught | Waiting]:
    lesson = read()
    if estimate := foreseen(trainer, lesson):
        yield from told(trainer, lesson.dataset.task, estimate)
        if not allow(name_of(trainer), estimate):
            yield Waiting(refused(trainer, estimate))
            return
    gave = trainer(lesson)
    yield from [gave] if isinstance(gave, Model) else gave


def _lesson(newest: Newest, task: str, kind: str, given: Given) -> Lesson:
    dataset = newest[task, "train"]

    def beside(role: Role) -> Sequence[Row]:
        found = newest.get((task, role))
        return given.rows(found) if found and found.recipe == dataset.recipe else ()

    items = beside("items")
    return Lesson(
        dataset, given.rows(dataset), kind, beside("validation"), beside("preference"),
        items, newest[task, "items"].id if items else "",
    )  # fmt: skip


def teaches(trainer: Trainer) -> tuple[str, ...]:
    """Kinds of task that a trainer can teach: the `KINDS` of its module."""
    return tuple(getattr(sys.modules[function_of(trainer).__module__], "KINDS", ()))

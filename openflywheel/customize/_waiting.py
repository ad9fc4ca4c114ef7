"""Trainers that need more than a turn: who waits for a provider, or failed, is shown its task again.

The room's `state` names them; it is kept in one transaction with what the room gives.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.errors import said
from openflywheel.base.nouns import Drop, Fault, Model, Paid, Reading
from openflywheel.base.room import Given

State = dict[str, Any]
Taught = Model | Paid | Reading | Fault | Drop

log = logging.getLogger("openflywheel")


class Waiting(Struct, frozen=True):
    """What a trainer gives while somebody else is at work for it; `said` tells in a few words on what."""

    said: str


class Failed(Struct, frozen=True):
    """Why a trainer gave no more for a task."""

    said: str


Gave = Taught | Waiting | Failed


def late(state: State) -> dict[str, set[str]]:
    """Task -> the trainers that wait, and so are shown its newest training set though it is not new."""
    tasks: dict[str, set[str]] = {}
    for trainer, waits in state.get("waiting", {}).items():
        for task in waits:
            tasks.setdefault(task, set()).add(trainer)
    return tasks


def taught(gave: Iterable[Gave], trainer: str, task: str, given: Given, state: State) -> Iterator[Taught]:
    """What a trainer gave for a task; whether it is shown it again goes into the state.

    A model that is stored already is not given again, and of what a run has taken only what is new: a passage
    that is killed leaves the state as it was. A Drop says on what a trainer waits, a Fault why it failed.
    """
    again = False
    for thing in gave:
        if isinstance(thing, Waiting | Failed):
            again = True
            yield Fault(thing.said) if isinstance(thing, Failed) else Drop(thing.said)
        elif isinstance(thing, Paid) and thing.run:
            yield from _booked(thing, state)
        elif not (isinstance(thing, Model) and given.get(Model, [thing.id])):
            yield thing
    waiting = state.setdefault("waiting", {}).setdefault(trainer, [])
    waiting[:] = [known for known in waiting if known != task] + [task] * again


def _booked(paid: Paid, state: State) -> Iterator[Paid]:
    """What is new of a run's dollars. Some 80 bytes a run stay in the state: it may be shown again."""
    runs = state.setdefault("paid", {})
    before = runs.get(paid.run, 0.0)
    if paid.dollars > before:
        runs[paid.run] = paid.dollars
        yield replace(paid, dollars=paid.dollars - before)


def to_its_end(gave: Iterable[Gave], trainer: str, task: str) -> Iterator[Gave]:
    """The same, up to where it fails: then why, for the others go on."""
    try:
        yield from gave
    except Exception as error:  # whatever a trainer does must not stop the others, turn after turn
        log.warning("customize: %s failed for %s", trainer, task, exc_info=error)
        yield Failed(f"{trainer}, {task}: {said(error)}")

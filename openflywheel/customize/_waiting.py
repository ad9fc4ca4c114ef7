"""Trainers that need more than a turn: who waits for a provider is shown its task again in the next one.

The room's `state` names them; it is kept in one transaction with what the room gives.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from openflywheel.base.nouns import Drop, Fault, Model, Paid, Reading
from openflywheel.base.room import Given

State = dict[str, Any]
Taught = Model | Paid | Reading | Fault | Drop


class Waiting(Struct, frozen=True):
    """What a trainer gives while somebody else is at work for it; `said` tells in a few words on what."""

    said: str


Gave = Model | Iterable[Taught | Waiting]


def late(state: State) -> dict[str, set[str]]:
    """Task -> the trainers that wait, and so are shown its newest training set though it is not new."""
    tasks: dict[str, set[str]] = {}
    for trainer, waits in state.get("waiting", {}).items():
        for task in waits:
            tasks.setdefault(task, set()).add(trainer)
    return tasks


def taught(gave: Gave, trainer: str, task: str, given: Given, state: State) -> Iterator[Taught]:
    """What a trainer gave for a task, one Model or several things; whether it waits goes into the state.

    A model that is stored already is not given again. A Drop says on what a trainer waits.
    """
    waits = False
    for thing in (gave,) if isinstance(gave, Model) else gave:
        if isinstance(thing, Waiting):
            waits = True
            yield Drop(thing.said)
        elif not (isinstance(thing, Model) and given.get(Model, [thing.id])):
            yield thing
    waiting = state.setdefault("waiting", {}).setdefault(trainer, [])
    waiting[:] = [known for known in waiting if known != task] + [task] * waits

"""Which trainers have seen a task: one that is new in flywheel.yaml, or has other settings, sees it too."""

from collections.abc import Mapping, Sequence

import msgspec

from openflywheel.base.door import Plugin, name_of, settings_of
from openflywheel.base.ids import content_id
from openflywheel.customize._waiting import State


def by_name(trainers: Sequence[Plugin]) -> dict[str, list[Plugin]]:
    """The trainers in their order, several uses of one together."""
    named: dict[str, list[Plugin]] = {}
    for trainer in trainers:
        named.setdefault(name_of(trainer), []).append(trainer)
    return named


def identity(uses: Sequence[Plugin]) -> str:
    """Of all uses of a trainer: their settings."""
    return content_id(msgspec.json.encode([settings_of(use) for use in uses], order="deterministic"))


def unseen(state: State, task: str, name: str, code: str) -> bool:
    """Has a trainer of this identity yet to be shown the task?"""
    known: Mapping[str, str] = state.get("seen", {}).get(task, {})
    return known.get(name) != code


def see(state: State, task: str, name: str, code: str) -> None:
    """It was shown the task; whether it waits or failed stands beside (`_waiting.py`)."""
    state.setdefault("seen", {}).setdefault(task, {})[name] = code

"""Looking at sources: can they be reached, what would they read, why did they take a URL or not?"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from openflywheel.base import door
from openflywheel.base.errors import FlywheelError
from openflywheel.base.nouns import Gap
from openflywheel.collect import ARROW, OWN, Visit
from openflywheel.collect._streams import Stream
from openflywheel.wheel.flywheel import Flywheel

ROOM = "collect"


class Checked(Struct, frozen=True):
    """Can a source be reached? `said` is empty when it can."""

    source: str
    said: str = ""


class Planned(Struct, frozen=True):
    """What a source would read for a gap; `said` tells why it cannot tell."""

    source: str
    gap: str
    stream: Stream | None = None
    said: str = ""


class Explained(Struct, frozen=True):
    """Why a source took a URL, or did not."""

    source: str
    said: str


def ask_for(wheel: Flywheel, words: str, task: str) -> Gap:
    """A gap that a person writes: these words, for a task. Raises UnknownTask."""
    wheel.known_task(task)
    why = f"a person asked at {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())}"
    gap = Gap(topic=words, why=why, task=task, queries=(words,))
    wheel.store.append([gap])
    return gap


def check(wheel: Flywheel) -> Iterator[Checked]:
    """Try every source, without reading anything from it."""
    for name, source in _sources(wheel):
        trying = _beside(wheel, source, "check", {})
        yield Checked(name, _said(trying) if trying else "")


def plan(wheel: Flywheel) -> Iterator[Planned]:
    """What every source would read now, for the gaps that wait; nothing is fetched into the store."""
    passage = wheel.store.look(ROOM, ARROW)
    for name, source in _sources(wheel):
        if name not in OWN:
            visit = Visit(source, passage.state)
            for gap in visit.gaps(passage.took, passage.given):
                yield from _planned(wheel, name, source, gap, visit.kept["own"])


def explain(wheel: Flywheel, url: str) -> Iterator[Explained]:
    """What those sources that go by URLs say about one."""
    state = wheel.store.look(ROOM, ARROW).state
    for name, source in _sources(wheel):
        explaining = _beside(wheel, source, "explain", Visit(source, state).kept["own"])
        if explaining:
            yield Explained(name, str(explaining(url)))


def _sources(wheel: Flywheel) -> Iterator[tuple[str, door.Plugin]]:
    for source in wheel.plugins.get(ROOM, []):
        yield door.name_of(source), source


def _planned(
    wheel: Flywheel, name: str, source: door.Plugin, gap: Gap, state: dict[str, Any]
) -> Iterator[Planned]:
    discover = _beside(wheel, source, "discover", state)
    if discover is None:
        yield Planned(name, gap.topic, said="it cannot tell before it reads")
        return
    try:
        for stream in discover(gap):
            yield Planned(name, gap.topic, stream)
    except FlywheelError as error:
        yield Planned(name, gap.topic, said=str(error))


def _beside(
    wheel: Flywheel, source: door.Plugin, name: str, state: dict[str, Any]
) -> Callable[..., Any] | None:
    """A function beside the source's own, with what it is handed at the call."""
    found = door.beside(source, name)
    handed = {"budget": wheel.settings.wheel.budget, "progress": _silent, "state": state}
    return partial(found, **{key: handed[key] for key in door.wants(found)}) if found else None


def _silent(figures: dict[str, float]) -> None:
    """Nobody waits for figures of what only looks."""


def _said(trying: Callable[[], object]) -> str:
    try:
        trying()
    except FlywheelError as error:
        return str(error)
    return ""


def unreachable(checked: Sequence[Checked]) -> bool:
    """Does a source not answer?"""
    return any(c.said for c in checked)

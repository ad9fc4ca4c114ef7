"""Which part of the flywheel is the weakest?"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from openflywheel.base.champion import PROMOTION
from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.nouns import Exchange, Reading, Step
from openflywheel.velocity import Log

PROMOTED = {"yes": 1.0, "inconclusive": 0.5, "no": 0.0}
CANDIDATES = 5


def component_map(log: Log) -> Iterator[Reading]:
    """The five components of a flywheel, each a share of something counted (Wilson 95 % interval).

    component_collection: gaps of this turn that brought records: min(records, gaps) / gaps of collect.
    component_storage: records that passed curation: 1 - dropped / taken, "stored already" not counted.
    component_analysis: exchanges that drew at least one signal / exchanges since the last look.
    component_application: promoted / the last 5 candidates, an inconclusive one counts half.
    component_feedback: exchanges about which a person said something outright / exchanges.
    weakest_component: the lowest of them, named in the note.

    A component without data scores 0 when a room of its stands still (failed, or took and gave nothing),
    else it is left out, and the note of weakest_component says so.
    """
    parts = (_collection(log), _storage(log), _analysis(log), _application(log), _feedback(log))
    scored = [reading for part in parts if (reading := _score(part, log))]
    yield from scored
    if scored:
        weakest = min(scored, key=lambda r: r.value)
        seen = {r.name for r in scored}
        silent = [part.name for part in parts if f"component_{part.name}" not in seen]
        note = f"{weakest.name.removeprefix('component_')}: {weakest.note}"
        note += f"; without data: {', '.join(silent)}" if silent else ""
        yield msgspec.structs.replace(weakest, id="", name="weakest_component", note=note)


class _Part(Struct, frozen=True):
    """A component: `good` of `all` in words, and the rooms that make it."""

    name: str
    rooms: tuple[str, ...]
    good: float
    all: int
    words: str


def _score(part: _Part, log: Log) -> Reading | None:
    name = f"component_{part.name}"
    if part.all:
        low, high = wilson(part.good, part.all)
        note = f"{part.good:g} of {part.all} {part.words}"
        return Reading(
            name=name, value=part.good / part.all, low=low, high=high, turn=log.turn, unit="share", note=note
        )
    why = _stands_still(log, part.rooms)
    return Reading(name=name, value=0.0, turn=log.turn, unit="share", note=why) if why else None


def _stands_still(log: Log, rooms: Sequence[str]) -> str:
    """Why a component has no data, if one of its rooms is to blame; its last passage counts."""
    last = {s.room: s for s in log.new_steps if s.turn == log.turn and s.room in rooms}
    for step in last.values():
        if step.error:
            return f"{step.room} failed: {step.error}"
        if step.took and not step.gave:
            return f"{step.room} took {step.took} and gave nothing"
    return ""


def _collection(log: Log) -> _Part:
    steps = _steps(log, "collect")
    gaps = sum(s.took for s in steps)
    good = min(gaps, sum(s.gave for s in steps))
    return _Part("collection", ("collect",), good, gaps, "gaps brought records")


def _storage(log: Log) -> _Part:
    steps = _steps(log, "curate")
    records = sum(s.took for s in steps)
    dropped = sum(n for s in steps for reason, n in s.dropped.items() if reason != "stored already")
    return _Part("storage", ("curate",), max(0, records - dropped), records, "records passed curation")


def _analysis(log: Log) -> _Part:
    exchanges = _exchanges(log)
    heard = {s.exchange or s.episode for s in log.new_signals}
    good = sum(e.id in heard or e.episode in heard for e in exchanges)
    return _Part("analysis", ("signals",), good, len(exchanges), "exchanges drew a signal")


def _application(log: Log) -> _Part:
    newest = {v.about: PROMOTED[v.passed] for v in log.verdicts if v.check == PROMOTION}
    last = list(newest.values())[-CANDIDATES:]
    rooms = ("customize", "evaluate", "serve")
    return _Part("application", rooms, sum(last), len(last), "last candidates promoted (inconclusive: half)")


def _feedback(log: Log) -> _Part:
    exchanges = _exchanges(log)
    said = {s.exchange for s in log.new_signals if s.explicit and s.source in ("user", "expert")}
    good = sum(e.id in said for e in exchanges)
    return _Part(
        "feedback", ("signals",), good, len(exchanges), "exchanges about which a person said something"
    )


def _steps(log: Log, room: str) -> list[Step]:
    """Passages of a room in this turn; a failed one is no data, as the room takes the same things again."""
    return [s for s in log.new_steps if s.turn == log.turn and s.room == room and not s.error]


def _exchanges(log: Log) -> list[Exchange]:
    """New exchanges that came before the room `signals` looked: later ones had no chance to be heard."""
    looked = max((s.at for s in _steps(log, "signals")), default=float("inf"))
    return [e for e in log.new_exchanges if e.at <= looked]

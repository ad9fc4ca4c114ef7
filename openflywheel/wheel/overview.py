"""The wheel at a glance, as data: what waits at each room, what each gave, and who serves."""

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from openflywheel.base.champion import crowned
from openflywheel.base.nouns import Model, Reading, Step, Verdict
from openflywheel.base.settings import Settings
from openflywheel.store import Store
from openflywheel.wheel.ring import ROOMS


class RoomView(Struct, frozen=True, kw_only=True):
    """A room: its arrow, its plugins, how much waits for it, its newest passage, and whether it holds up."""

    room: str
    takes: str
    gives: str
    plugins: list[str]
    waits: int
    last: Step | None
    weakest: bool


class Map(Struct, frozen=True, kw_only=True):
    """The ring in loop order; `turn` is the newest one, -1 before the first."""

    name: str
    turn: int
    rooms: list[RoomView]


class TaskView(Struct, frozen=True, kw_only=True):
    """A task and the model that serves it; `why` is what its promotion said."""

    task: str
    kind: str
    champion: Model | None
    since: float | None
    why: str


class Status(Struct, frozen=True, kw_only=True):
    """Who serves, what experts are asked, how much is stored, and the newest turn."""

    name: str
    store: str
    tasks: list[TaskView]
    questions: int
    oldest_question: float | None
    counts: dict[str, int]
    turn: int
    steps: list[Step]


def look_at_ring(settings: Settings, store: Store) -> Map:
    """The ring with live figures."""
    steps = store.all(Step)
    weakest = _weakest(steps)
    rooms = [_room(room, settings, store, steps, room == weakest) for room in ROOMS]
    return Map(name=settings.name, turn=store.last_turn(), rooms=rooms)


def _room(room: str, settings: Settings, store: Store, steps: Sequence[Step], weakest: bool) -> RoomView:
    arrow = ROOMS[room].ARROW
    passages = [s for s in steps if s.room == room]
    return RoomView(
        room=room,
        takes=arrow.takes.__name__,
        gives=arrow.gives.__name__,
        plugins=[c.name for c in settings.rooms.get(room, ())],
        waits=store.waiting(room, arrow.takes) - _own(passages, room),
        last=_newest_turn(passages),
        weakest=weakest,
    )


def _newest_turn(passages: Sequence[Step]) -> Step | None:
    """A room's passages in the newest of its turns as one Step: a turn may pass a room several times."""
    if not passages:
        return None
    same = [s for s in passages if s.turn == passages[-1].turn]
    return replace(
        same[-1],
        took=sum(s.took for s in same),
        gave=sum(s.gave for s in same),
        seconds=sum(s.seconds for s in same),
        cpu_seconds=sum(s.cpu_seconds for s in same),
    )


def _own(passages: Sequence[Step], room: str) -> int:
    """What the room's last passage wrote of the kind that it takes: that does not wait for it.

    Velocity takes Steps and leaves one; serve takes Verdicts and gives promotions.
    """
    made = [s for s in passages if not s.error]
    if not made:
        return 0
    return {"velocity": 1, "serve": made[-1].gave}.get(room, 0)


def _weakest(steps: Sequence[Step]) -> str:
    """The room that failed last; else the one that took the longest in the newest turn."""
    newest = {room: step for room in ROOMS if (step := _newest_turn([s for s in steps if s.room == room]))}
    failed = [s for s in newest.values() if s.error]
    if failed:
        return max(failed, key=lambda s: s.at).room
    turn = [s for s in newest.values() if s.turn == steps[-1].turn]
    return max(turn, key=lambda s: s.seconds).room if turn else ""


def look_at_state(settings: Settings, store: Store) -> Status:
    """Champions, open questions, counts and the newest turn."""
    verdicts, turn = store.all(Verdict), store.last_turn()
    questions = store.experts.open()
    return Status(
        name=settings.name,
        store=settings.store,
        tasks=_tasks(settings, store, verdicts),
        questions=len(questions),
        oldest_question=time.time() - questions[0].asked if questions else None,
        counts=store.counts(),
        turn=turn,
        steps=[s for s in store.all(Step) if s.turn == turn],
    )


def _tasks(settings: Settings, store: Store, verdicts: Sequence[Verdict]) -> list[TaskView]:
    crowns = crowned(verdicts)
    models = store.get(Model, [crown.about for crown in crowns.values()])
    return [_task(name, task.kind, models, crowns.get(name)) for name, task in settings.tasks.items()]


def _task(name: str, kind: str, models: Mapping[str, Model], crown: Verdict | None) -> TaskView:
    return TaskView(
        task=name,
        kind=kind,
        champion=models.get(crown.about) if crown else None,
        since=crown.at if crown else None,
        why=crown.reason if crown else "",
    )


def newest_readings(store: Store) -> list[Reading]:
    """The newest reading of each name and task, by name."""
    newest = {(r.name, r.task): r for r in store.all(Reading)}
    return [newest[key] for key in sorted(newest)]

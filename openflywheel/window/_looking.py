"""Looking at the wheel: the ring, its state, its readings."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from rich import box
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text

from openflywheel.base.nouns import Reading
from openflywheel.base.settings import read
from openflywheel.store import Store
from openflywheel.wheel.overview import (
    Map,
    RoomView,
    Status,
    TaskView,
    look_at_ring,
    look_at_state,
    newest_readings,
)
from openflywheel.window._command import command, file_option
from openflywheel.window._figures import ago, interval, plural, short, span
from openflywheel.window._steps import show_errors


def _show_map(ring: Map) -> Iterator[RenderableType]:
    turned = f"turn {ring.turn}" if ring.turn >= 0 else "no turn yet; make one with: flywheel turn"
    yield f"{ring.name}: {turned}\n"
    edges = ["┌─▶", *["│"] * (len(ring.rooms) - 3), "└──", ""]  # velocity stands beside the ring
    for edge, room in zip(edges, ring.rooms, strict=True):
        yield _room_line(edge, room)
    yield from show_errors([r.last for r in ring.rooms if r.last])


def _room_line(edge: str, room: RoomView) -> Text:
    last, failed = room.last, bool(room.last and room.last.error)
    waits = f"{room.waits:,} wait" if room.waits else ""
    gave, seconds = (f"gave {last.gave:,}", f"{last.seconds:.2f} s") if last else ("", "")
    state = "◀ weakest link" if room.weakest else "failed" if failed else "" if room.plugins else "off"
    arrow = f"{room.takes} → {room.gives}"
    line = f"{edge:<3} {room.room:<9} {arrow:<18} {waits:>11} {gave:>10} {seconds:>8} {state}"
    return Text(line.rstrip(), "red" if failed else "yellow" if room.weakest else "")


@command("map", show=_show_map)
@file_option
def map_(file: Path) -> Map:
    """Show the ring with live figures.

    In loop order: what waits at each room, what its last passage gave and how long that took. The weakest
    link is the room that failed last, else the one that took the longest in the newest turn.
    """
    settings = read(file)
    with closing(Store.of(settings)) as store:
        return look_at_ring(settings, store)


def _show_status(status: Status) -> Iterator[RenderableType]:
    yield f"{status.name} in {status.store}: {_last_turn(status)}"
    yield from show_errors(status.steps)
    table = Table("task", "kind", "champion", "since", "why", box=box.SIMPLE_HEAD)
    for task in status.tasks:
        table.add_row(*_task_cells(task))
    yield table
    yield _questions(status)
    yield "Stored: " + ", ".join(plural(n, kind) for kind, n in status.counts.items() if n)


def _last_turn(status: Status) -> str:
    if not status.steps:
        return "no turn yet; make one with: flywheel turn"
    seconds = sum(s.seconds for s in status.steps)
    return f"turn {status.turn}, {ago(status.steps[-1].at)}, {seconds:.1f} s"


def _task_cells(task: TaskView) -> tuple[str, ...]:
    if task.champion is None or task.since is None:
        return task.task, task.kind, "a person answers", "", ""
    return task.task, task.kind, short(task.champion.id), ago(task.since), task.why


def _questions(status: Status) -> str:
    if status.oldest_question is None:
        return "Experts: nothing is asked."
    waits = span(status.oldest_question)
    return f"Experts: {plural(status.questions, 'question')}, the oldest waits {waits}: flywheel label"


@command("status", show=_show_status)
@file_option
def status(file: Path) -> Status:
    """Show who serves, what is asked, what is stored.

    The champion of each task, the questions for experts, the number of rows and the newest turn.
    """
    settings = read(file)
    with closing(Store.of(settings)) as store:
        return look_at_state(settings, store)


def _show_readings(readings: Sequence[Reading]) -> Iterator[RenderableType]:
    if not readings:
        yield "No readings yet; velocity takes them at the end of a turn: flywheel turn"
        return
    table = Table(Column("reading", no_wrap=True), "value", "interval", "note", box=box.SIMPLE_HEAD)
    for r in readings:
        name = f"{r.name} ({r.task})" if r.task else r.name
        table.add_row(name, f"{r.value:.4g} {r.unit}".strip(), interval(r.low, r.high), r.note)
    yield table


@command("readings", show=_show_readings)
@file_option
def readings(file: Path) -> list[Reading]:
    """Show how well the wheel itself turns.

    The newest reading of each name and task, with its interval.
    """
    settings = read(file)
    with closing(Store.of(settings)) as store:
        return newest_readings(store)


COMMANDS = {"map": map_, "status": status, "readings": readings}

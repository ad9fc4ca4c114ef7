"""A turn as a durable workflow (DBOS): killed at any room, it goes on there when the wheel is opened again."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from dbos import DBOS, SetWorkflowID

from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Step

Advance = Callable[[str, int], Step]

_lock = threading.RLock()  # DBOS is one instance a process: wheels of one process take turns
_live: dict[str, Advance] = {}  # url of the launched workflow database -> what passes a room of its wheel


@DBOS.step()
def _pass_room(url: str, room: str, turn: int) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(_live[url](room, turn))
    return built


@DBOS.workflow()
def _turn(url: str, rooms: Sequence[str], turn: int) -> list[dict[str, Any]]:
    return [_pass_room(url, room, turn) for room in rooms]


def run_turn(url: str, rooms: Sequence[str], turn: int, advance: Advance) -> list[Step]:
    """Pass all the rooms; a turn that was killed is finished first, and its Steps are then the result."""
    with _lock:
        _launch(url, advance)
        killed = DBOS.list_workflows(status=["PENDING", "ENQUEUED"])
        if killed:
            steps: Any = [DBOS.retrieve_workflow(w.workflow_id).get_result() for w in killed][-1]
        else:
            with SetWorkflowID(f"turn-{turn}-{event_id()}"):
                steps = _turn(url, list(rooms), turn)
    return msgspec.convert(steps, list[Step])


def _launch(url: str, advance: Advance) -> None:
    """Launch DBOS on this wheel's database, unless it runs there already."""
    if url in _live:
        return
    for other in list(_live):
        release(other)
    _live[url] = advance
    DBOS(
        config={
            "name": "openflywheel",
            "system_database_url": url,
            "application_version": "1",  # the same for every release: a killed turn must be found again
            "log_level": "WARNING",
        }
    )
    DBOS.launch()


def release(url: str) -> None:
    """Let go of a workflow database; harmless when it is not held."""
    with _lock:
        if _live.pop(url, None):
            DBOS.destroy()


def local_url(folder: Path) -> str:
    """Workflow database of a store in a local folder."""
    return f"sqlite:///{folder.resolve() / 'turns.db'}"

"""A turn as a durable workflow (DBOS): killed at any room, it goes on there when the wheel turns again."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID
from msgspec import Struct

from openflywheel.base.errors import StoreError
from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Step
from openflywheel.store.backend import without_password

Advance = Callable[[str, int], Step]

SCHEMES = ("sqlite:", "postgresql:", "postgresql+psycopg:", "postgres:")


class Wheel(Struct, frozen=True):
    """Whose turns are kept where. Wheels that share a workflow database must have different names."""

    name: str
    url: str
    advance: Advance


_lock = threading.RLock()  # DBOS is one instance a process: wheels of one process take turns
_live: list[Wheel] = []  # the one whose workflow database is launched


@DBOS.step()
def _pass_room(room: str, turn: int) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(_live[0].advance(room, turn))
    return built


@DBOS.workflow()
def _turn(rooms: Sequence[str], turn: int) -> list[dict[str, Any]]:
    return [_pass_room(room, turn) for room in rooms]


def run_turn(wheel: Wheel, rooms: Sequence[str], turn: int) -> list[Step]:
    """Pass all the rooms; a turn that was killed is finished first, and its Steps are then the result.

    Raises StoreError when the workflow database cannot be used.
    """
    with _lock:
        _launch(wheel)
        killed = DBOS.list_workflows(status=["PENDING", "ENQUEUED"], app_version=wheel.name)
        if killed:
            steps: Any = [DBOS.retrieve_workflow(w.workflow_id).get_result() for w in killed][-1]
        else:
            with SetWorkflowID(f"{wheel.name}-{turn}-{event_id()}"):
                steps = _turn(list(rooms), turn)
    return msgspec.convert(steps, list[Step])


def _launch(wheel: Wheel) -> None:
    """Launch DBOS for this wheel, unless it runs for it already."""
    running = _runs_for(wheel)
    if not running:
        _destroy()
    _live[:] = [wheel]  # before the launch, which goes on with what was killed
    if not running:
        try:
            _open(wheel)
        except Exception as error:  # DBOS lets through whatever the driver raises
            _destroy()
            raise _unusable(wheel.url, error) from error


def _open(wheel: Wheel) -> None:
    if not wheel.url.startswith(SCHEMES):
        raise StoreError("it is neither postgresql:// nor sqlite:///")
    DBOS(
        config={
            "name": "openflywheel",
            "system_database_url": wheel.url,
            "application_version": wheel.name,  # not the code's hash: a release must find what it left
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "CRITICAL",  # what a launch logs it also raises
        }
    )
    DBOS.launch()
    logging.getLogger("dbos").setLevel(logging.WARNING)


def _unusable(url: str, error: Exception) -> StoreError:
    """What the user is told, without the password."""
    shown = without_password(url)
    said = (str(getattr(error, "orig", error)).splitlines() or [repr(error)])[0]
    return StoreError(
        f"the database {shown} cannot keep turns: {said}; start it, or correct  database:  in flywheel.yaml "
        "(without that line turns are kept in the store)"
    )


def release(wheel: Wheel) -> None:
    """Let go of a wheel's workflow database; harmless when it is not held."""
    with _lock:
        if _runs_for(wheel):
            _destroy()


def _destroy() -> None:
    if _live:
        DBOS.destroy()
        _live.clear()


def _runs_for(wheel: Wheel) -> bool:
    return bool(_live) and (_live[0].name, _live[0].url) == (wheel.name, wheel.url)


def local_url(folder: Path) -> str:
    """Workflow database of a store in a local folder."""
    return f"sqlite:///{folder.resolve() / 'turns.db'}"

"""What is wrong with a wheel, and what to do about it: the checks of `flywheel doctor`, as data."""

from collections.abc import Collection, Iterator
from pathlib import Path

from openflywheel.base import door
from openflywheel.base.errors import FlywheelError
from openflywheel.base.settings import Settings, read
from openflywheel.customize import teaches
from openflywheel.evaluate import judges
from openflywheel.serve.cascade import rules
from openflywheel.wheel import installation
from openflywheel.wheel.condition import examine_store
from openflywheel.wheel.dependence import warnings
from openflywheel.wheel.installation import Check, State
from openflywheel.wheel.tables import check

WHEN_OFF = {
    "collect": "nothing is fetched, so nothing is learned",
    "curate": "records are frozen as they come, uncleaned",
    "customize": "no model is ever taught",
    "evaluate": "no metric stands between a candidate and the users",
    "guard": "nothing is redacted, nothing is refused",
    "serve": "the champion answers everything, however unsure it is",
    "signals": "only what people say outright is heard",
    "study": "signals never become gaps, so the wheel learns nothing from use",
    "velocity": "nobody measures how well the wheel turns",
}


def examine(path: Path) -> Iterator[Check]:
    """Every check, from the machine to the experts' queue; what needs settings stops when they are wrong."""
    yield installation.python()
    yield installation.packages()
    try:
        settings = read(path)
    except FlywheelError as error:
        yield Check("settings", "error", str(error), f"correct {path}, or: flywheel init")
        return
    yield Check("settings", "ok", f"{path}: {settings.name}; tasks: {', '.join(settings.tasks)}")
    yield installation.encoder(settings.encoder)
    yield from _rooms_off(settings)
    yield from _unteachable(settings)
    yield from _unjudged(settings)
    yield from _serving(settings)
    yield installation.disk(Path(settings.store))
    yield from examine_store(settings, _taught(settings))


def _rooms_off(settings: Settings) -> Iterator[Check]:
    """Rooms without a plugin."""
    for room in door.ROOMS:
        if not settings.rooms.get(room):
            remedy = f"choose from: flywheel plugins {room}"
            yield Check(room, "warning", f"{room} is off: {WHEN_OFF[room]}", remedy)


def _taught(settings: Settings) -> list[str]:
    """Tasks of a kind that a chosen trainer teaches."""
    kinds = {kind for c in settings.rooms.get("customize", ()) for kind in _kinds(c.name)}
    return [name for name, task in settings.tasks.items() if task.kind in kinds]


def _unteachable(settings: Settings) -> Iterator[Check]:
    """Tasks of a kind that none of the chosen trainers can teach."""
    chosen, taught = [c.name for c in settings.rooms.get("customize", ())], _taught(settings)
    for name, task in settings.tasks.items():
        if chosen and name not in taught:
            what = f"no trainer among {', '.join(chosen)} teaches the kind {task.kind!r}"
            state: State = "warning" if name in _served(settings) else "error"
            yield Check(f"task {name}", state, what, "choose from: flywheel plugins customize")


def _unjudged(settings: Settings) -> Iterator[Check]:
    """Tasks that a trainer teaches and no chosen metric judges: their candidates would pass unseen."""
    metrics = [c.name for c in settings.rooms.get("evaluate", ())]
    judged = {kind for name in metrics for kind in judges(door.find("evaluate", name))}
    taught = {kind for c in settings.rooms.get("customize", ()) for kind in _kinds(c.name)}
    for name, task in settings.tasks.items():
        if metrics and task.kind in taught - judged:
            what = f"no metric among {', '.join(metrics)} judges the kind {task.kind!r}: any candidate passes"
            yield Check(f"task {name}", "error", what, "choose from: flywheel plugins evaluate")


def _served(settings: Settings) -> Collection[str]:
    """Text tasks that providers answer: nothing has to be taught for them."""
    return next((c.settings for c in settings.rooms.get("serve", ()) if c.name == "routes"), {})


def _serving(settings: Settings) -> Iterator[Check]:
    """Tables of the gateway that contradict each other; a cascade that nobody can certify; one provider."""
    try:
        check(settings)
    except FlywheelError as error:
        yield Check("serve", "error", str(error), "correct the table  serve:")
        return
    students = [c.name for c in settings.rooms.get("study", ())]
    for task, rule in rules(settings).items():
        if rule.error is not None and "spotcheck" not in students:
            what = f"the cascade of {task!r} has an error, and nobody draws the sample that certifies it"
            yield Check("cascade", "warning", what, "add  spotcheck: {}  before audit in  study:")
    for said in warnings(settings, {}):
        yield Check("providers", "warning", said, "see: flywheel providers")


def _kinds(trainer: str) -> tuple[str, ...]:
    return teaches(door.find("customize", trainer))

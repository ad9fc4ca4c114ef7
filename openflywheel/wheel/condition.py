"""The condition of a wheel that has turned: its store, its lock, failed rooms, holdouts, experts."""

import os
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

from openflywheel.base.errors import StoreError, WheelBusy
from openflywheel.base.nouns import Dataset, Row, Step, table_of
from openflywheel.base.settings import Settings
from openflywheel.store import Store
from openflywheel.store.lease import lease
from openflywheel.wheel import installation
from openflywheel.wheel.installation import Check

DAY = 86400
TURNS_OF_QUESTIONS = 3  # more questions than so many turns may ask: experts do not keep up


def examine_store(settings: Settings, taught: Collection[str] = ()) -> Iterator[Check]:
    """The database and the store, and what stands in it; what is not there yet is not made.

    `taught` names the tasks that a chosen trainer teaches.
    """
    if settings.database:
        found = installation.database(settings.database)
        yield found
        if found.state == "error":
            return
    place = Path(settings.store)
    if "://" not in settings.store and not place.exists():
        yield Check("store", "ok", f"{place} will be made by the first turn")
        return
    if place.is_dir() and not os.access(place, os.W_OK):
        yield Check("store", "error", f"{place} is not writable", f"chmod u+w {place}")
        return
    try:
        store = Store.of(settings)
    except StoreError as error:
        yield Check("store", "error", str(error), "set  store:  to another folder")
        return
    with closing(store):
        yield Check("store", "ok", f"{place}: {sum(store.counts().values())} rows")
        yield _lock(settings, store)
        yield from _failed(store)
        yield from _unlabelled(taught, store)
        yield from _holdouts(settings, store)
        yield _questions(settings, store)


def _lock(settings: Settings, store: Store) -> Check:
    """Is somebody turning the wheel?"""
    try:
        with lease(store.path / "turn.lock", f"the wheel {settings.name!r}"):
            return Check("lock", "ok", "free: nobody is turning the wheel")
    except WheelBusy as error:
        return Check("lock", "warning", str(error), "wait for it, or stop it")


def _failed(store: Store) -> Iterator[Check]:
    """Rooms whose newest passage failed."""
    for step in {s.room: s for s in store.all(Step)}.values():
        if step.error:
            remedy = f"when it is repaired: flywheel turn --only {step.room}"
            yield Check(step.room, "error", f"failed: {step.error}", remedy)


def _unlabelled(taught: Collection[str], store: Store) -> Iterator[Check]:
    """Tasks of which there is nothing to learn, though records have come."""
    learned = {d.task for d in store.all(Dataset) if d.role in ("train", "preference")}
    for task in taught if store.counts()[table_of(Row)] else ():
        if task not in learned:
            what = "no row has a label of it, so nothing is taught"
            remedy = "name the column in its source, as in  label: team; or answer: flywheel label"
            yield Check(f"task {task}", "warning", what, remedy)


def _holdouts(settings: Settings, store: Store) -> Iterator[Check]:
    """Tasks whose candidates nobody can judge."""
    judged = {d.task for d in store.all(Dataset) if d.role == "holdout"}
    for task in settings.tasks:
        if task not in judged:
            what = "no holdout yet, so no candidate can be compared with the champion"
            remedy = "it grows with use: study needs audit, and wheel.holdout.share must be above 0"
            yield Check(f"task {task}", "warning", what, remedy)


def _questions(settings: Settings, store: Store) -> Check:
    """Do experts keep up with what they are asked?"""
    asked, budget = store.experts.open(), settings.wheel.budget
    what = f"{len(asked)} questions are open"
    if len(asked) <= TURNS_OF_QUESTIONS * (budget.labels + budget.holdout):
        return Check("experts", "ok", what)
    days = (time.time() - asked[0].asked) / DAY
    remedy = "flywheel label, or ask for less: wheel.budget in the settings"
    return Check("experts", "warning", f"{what}, the oldest for {days:.1f} days", remedy)

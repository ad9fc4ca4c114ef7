"""The champions of text tasks in a gateway process: loads new ones, switches over, lets go of old ones.

A new one is loaded before the first request goes to it, and the old one unloaded when its last request is
over, so that no request meets a model that is not there. What cannot be loaded is told (log, metrics), and
the old one goes on serving.
"""

import asyncio
import logging
import time

from openflywheel.base.champion import champions
from openflywheel.base.errors import FlywheelError, StoreError
from openflywheel.base.nouns import Model, Verdict
from openflywheel.base.settings import Settings
from openflywheel.serve._generators.champion import Champion, NotLoaded, chosen
from openflywheel.serve._generators.engine import Counted
from openflywheel.serve._generators.held import Held
from openflywheel.serve.routes import CHAMPION
from openflywheel.store import Store
from openflywheel.wheel import generating
from openflywheel.wheel.tables import generators, routes

LOOK_EVERY = 0.25  # seconds until a promotion is noticed
CHECK_EVERY = (
    5.0  # seconds until it is noticed that a generator has lost a model, and tried again what failed
)

log = logging.getLogger("openflywheel")


class Champions:
    """Those of all text tasks that have a variant with the model flywheel/champion."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._engines: dict[str, Counted] = {}
        self._tasks = {task: Following(task, self) for task in wanted(settings)}
        self._seen = -1  # journal number of the newest verdict that was looked at
        self._promoted: dict[str, str] = {}

    def serving(self, task: str) -> Held | None:
        """The champion that answers a task now; None as long as none is loaded."""
        return self._tasks[task].held

    def troubles(self) -> dict[str, str]:
        """Task -> why its newest champion is not loaded."""
        return {task: one.trouble for task, one in self._tasks.items() if one.trouble}

    async def watch(self) -> None:
        """Follow the promotions, for as long as the gateway runs."""
        if self._tasks:
            await asyncio.gather(*(one.watch() for one in self._tasks.values()))

    async def promoted(self, task: str) -> str:
        """The id of the model that was promoted last for a task; empty before the first."""
        sql = "SELECT max(seq) FROM journal WHERE kind = 'verdict'"
        newest = (await asyncio.to_thread(self._store.journal.rows, sql))[0][0] or 0
        if newest != self._seen:
            self._promoted = champions(await asyncio.to_thread(self._store.all, Verdict))
            self._seen = newest
        return self._promoted.get(task, "")

    async def opened(self, id: str) -> tuple[Champion, Counted] | None:
        """A model with the generator that serves it; None when our own desk does. Raises FlywheelError."""
        model = (await asyncio.to_thread(self._store.get, Model, [id])).get(id)
        if model is None:
            raise StoreError(f"the model {id} was promoted, and the store does not have it")
        found = await asyncio.to_thread(generating.champion, model, self._store)
        return (found, self._engine(chosen(generators(self._settings), found))) if found else None

    def _engine(self, name: str) -> Counted:
        if name not in self._engines:
            self._engines[name] = Counted(generating.engine(name, self._settings, self._store))
        return self._engines[name]

    async def close(self) -> None:
        """Let go of all generators, once what is being unloaded is."""
        for one in self._tasks.values():
            await one.close()
        for engine in self._engines.values():
            await engine.close()


class Following:
    """One task's champion."""

    def __init__(self, task: str, all_: Champions) -> None:
        self.held: Held | None = None
        self.trouble = ""
        self._task, self._all = task, all_
        self._loaded: tuple[Champion, Counted] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._due = 0.0  # when to look again at what is loaded or failed (monotonic)
        self._tried = ""

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            try:
                await self.look()
            except Exception as error:  # whatever it is: the one before serves on, and this is tried again
                self._tell(error)
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Serve the model that was promoted last. Raises FlywheelError when that cannot be done now."""
        id = await self._all.promoted(self._task)
        if not id or (id == self._tried and time.monotonic() < self._due):
            return
        self._tried, self._due = id, time.monotonic() + CHECK_EVERY
        if self.held is None or self.held.model != id or await self._lost():
            await self._switch(id)
        self.trouble = ""

    async def _lost(self) -> bool:
        return self._loaded is not None and not await self._loaded[1].holds(self._loaded[0])

    async def _switch(self, id: str) -> None:
        """Load, then serve, then let go of what served before."""
        log.info("%s was promoted for the task %s", id, self._task)
        loaded = await self._all.opened(id)
        target = await loaded[1].load(loaded[0]) if loaded else None
        before, self._loaded = (self.held, self._loaded), loaded
        self.held = Held(id, target)
        self._retire(*before)
        log.info("%s answers the task %s", id, self._task)

    def _retire(self, held: Held | None, loaded: tuple[Champion, Counted] | None) -> None:
        if held and loaded:
            task = asyncio.create_task(self._unload(held, *loaded))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def _unload(self, held: Held, champion: Champion, engine: Counted) -> None:
        await held.free()
        try:
            await engine.unload(champion)
        except NotLoaded as error:
            log.warning("%s was not unloaded: %s", champion.id, error)

    async def close(self) -> None:
        """Wait for what is being unloaded; requests that last longer have lost their client by now."""
        if self._retiring:
            await asyncio.wait(self._retiring, timeout=CHECK_EVERY)

    def _tell(self, error: Exception) -> None:
        """Once, not every few seconds."""
        why = str(error) if isinstance(error, FlywheelError) else f"{type(error).__name__}: {error}"
        if why != self.trouble:
            log.warning(
                "the champion of %s cannot be loaded, the one before it serves on: %s", self._task, why
            )
        self.trouble = why


def wanted(settings: Settings) -> list[str]:
    """The text tasks with a variant that their champion answers. Raises SettingsError."""
    found = routes(settings).items()
    return [task for task, route in found if any(v.model == CHAMPION for v in route.variants.values())]

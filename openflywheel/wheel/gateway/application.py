"""The ASGI application of one gateway process, put together when its event loop runs."""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from importlib import import_module
from typing import Any

from openflywheel.base.errors import SettingsError, UnknownExchange
from openflywheel.base.settings import Settings, read
from openflywheel.serve._gateway.app import App, Gateway
from openflywheel.serve._gateway.targets import Directory
from openflywheel.serve._keys import KeyRing
from openflywheel.serve._limits import Budgets, Limiter
from openflywheel.serve._upstream.client import Upstream
from openflywheel.store import Store
from openflywheel.store.keys import Keys
from openflywheel.wheel.gateway.desk import ModelDesk, Models
from openflywheel.wheel.gateway.door import Doorkeeper
from openflywheel.wheel.gateway.family import orphaned
from openflywheel.wheel.gateway.generators import Champions
from openflywheel.wheel.gateway.log import LOOK_EVERY, DurableLog
from openflywheel.wheel.gateway.mailroom import Mailroom
from openflywheel.wheel.gateway.observing import Observers
from openflywheel.wheel.gateway.office import Office
from openflywheel.wheel.gateway.pages import pages, readiness
from openflywheel.wheel.hearing import find
from openflywheel.wheel.tables import SERVED, gateway_settings, providers, routes, teachers

FILE = "OPENFLYWHEEL_FILE"  # how a worker process is told its settings

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def application() -> "Application":
    """What uvicorn calls in each worker process."""
    return Application(read(os.environ[FILE], SERVED))


class Application:
    """Opens the gateway when the server starts, and closes it when the last request has been answered."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = AsyncExitStack()
        self._gateway: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._gateway:
            await self._gateway(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._gateway = await opened(self._settings, self._open)
            gc.collect()
            gc.freeze()  # what was loaded stays: it need not be looked through again and again
        except Exception as error:  # whatever is wrong, the server must be told, and stops with it
            await self._open.aclose()
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._open.aclose()
        await send({"type": "lifespan.shutdown.complete"})


async def opened(settings: Settings, opening: AsyncExitStack) -> App:
    """A gateway whose parts are closed with `opening`. Raises FlywheelError."""
    listens = gateway_settings(settings)
    store = Store.of(settings, listens.durability)
    opening.callback(store.journal.close)
    keys = Keys(store.journal)
    budgets, limiter = Budgets(keys.spent), Limiter(store.path / "rates")
    opening.callback(limiter.close)
    upstreams = {name: Upstream(name, provider) for name, provider in providers(settings).items()}
    for upstream in upstreams.values():
        opening.callback(upstream.close)
    champions = Champions(settings, store)
    opening.push_async_callback(champions.close)
    directory = Directory(settings.tasks, routes(settings), upstreams, teachers(settings), champions.serving)
    desk = ModelDesk(partial(_models, settings, store))
    opening.callback(desk.close)
    if _serves(store):
        desk.warm()
    log = DurableLog(store, budgets, listens.spare_disk)
    doorkeeper = Doorkeeper(KeyRing(keys.all), limiter, budgets, listens.subject_rate)
    ready, observers = readiness(log), Observers(directory.names(), listens)
    opening.push_async_callback(observers.close)
    office, mailroom = Office(settings, store, keys, ready), Mailroom(settings, store)
    looking = observers.watch(upstreams, ready, champions.troubles)
    for watch in (log.watch(), doorkeeper.watch(), champions.watch(), looking, _orphaned()):
        opening.push_async_callback(_stop, asyncio.create_task(watch))
    gateway = Gateway(
        directory=directory,
        log=log,
        desk=desk,
        door=doorkeeper,
        key_of=store.key_of,
        episode_of=partial(_episode_of, store),
        observe=observers,
        rest=pages(
            office, mailroom, directory, upstreams, doorkeeper, ready, observers, listens.largest_request
        ),
        largest=listens.largest_request,
        settings=settings.version,
    )
    return observers.traced(gateway)


def _episode_of(store: Store, reply: str) -> str:
    """The conversation that an answer belongs to; empty when it is none of ours, or several have its id."""
    try:
        return find(store, reply).episode
    except (UnknownExchange, SettingsError):
        return ""


def _serves(store: Store) -> bool:
    """Was a model of our own ever promoted?"""
    return bool(store.journal.rows("SELECT 1 FROM journal WHERE kind = 'model' LIMIT 1"))


async def _orphaned() -> None:
    """Stop this worker when its supervisor is gone: nobody else would."""
    while not orphaned():
        await asyncio.sleep(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _models(settings: Settings, store: Store) -> Models:
    """The own models: what they need (numpy, onnxruntime, 100 MB) is loaded by the first question."""
    models: Models = import_module("openflywheel.wheel.gateway.models").OwnModels(settings, store)
    return models

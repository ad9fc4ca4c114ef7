"""The ASGI application of one gateway process, put together when its event loop runs."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from importlib import import_module
from typing import Any

from openflywheel.base import door
from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.settings import Settings, read
from openflywheel.serve._gateway.app import Gateway
from openflywheel.serve._gateway.targets import Directory
from openflywheel.serve._keys import KeyRing
from openflywheel.serve._limits import Budgets, Limiter
from openflywheel.serve._upstream.client import Upstream, session
from openflywheel.serve.cascade import PERSON, rules
from openflywheel.serve.gateway import GatewaySettings, gateway
from openflywheel.serve.providers import Provider
from openflywheel.serve.routes import Route
from openflywheel.store import Store
from openflywheel.store.keys import Keys
from openflywheel.wheel.gateway.desk import ModelDesk, Models
from openflywheel.wheel.gateway.door import Doorkeeper
from openflywheel.wheel.gateway.log import LOOK_EVERY, DurableLog

FILE = "OPENFLYWHEEL_FILE"  # how a worker process is told its settings

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def application() -> "Application":
    """What uvicorn calls in each worker process."""
    return Application(read(os.environ[FILE]))


class Application:
    """Opens the gateway when the server starts, and closes it when the last request has been answered."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = AsyncExitStack()
        self._gateway: Gateway | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._gateway:
            await self._gateway(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._gateway = await opened(self._settings, self._open)
        except Exception as error:  # whatever is wrong, the server must be told, and stops with it
            await self._open.aclose()
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._open.aclose()
        await send({"type": "lifespan.shutdown.complete"})


async def opened(settings: Settings, opening: AsyncExitStack) -> Gateway:
    """A gateway whose parts are closed with `opening`. Raises FlywheelError."""
    listens = gateway_settings(settings)
    store = Store.of(settings, listens.durability)
    opening.callback(store.journal.close)
    keys = Keys(store.journal)
    budgets, limiter = Budgets(keys.spent), Limiter(store.path / "rates")
    opening.callback(limiter.close)
    http = await opening.enter_async_context(session())
    upstreams = {name: Upstream(name, p, http) for name, p in providers(settings).items()}
    directory = Directory(settings.tasks, routes(settings), upstreams, _teachers(settings))
    desk = ModelDesk(partial(_models, settings, store))
    opening.callback(desk.close)
    log = DurableLog(store, budgets, listens.spare_disk)
    doorkeeper = Doorkeeper(KeyRing(keys.all), limiter, budgets, listens.subject_rate)
    for watch in (log.watch(), doorkeeper.watch(), _orphaned()):
        opening.push_async_callback(_stop, asyncio.create_task(watch))
    return Gateway(
        directory=directory,
        log=log,
        desk=desk,
        door=doorkeeper,
        key_of=store.key_of,
        observe=lambda _: None,
        rest=_nothing,
        largest=listens.largest_request,
        settings=settings.version,
    )


async def _orphaned() -> None:
    """Stop this worker when its supervisor is gone: nobody else would."""
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    del receive
    ok = scope["path"] in ("/healthz", "/readyz")
    await send({"type": "http.response.start", "status": 200 if ok else 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _models(settings: Settings, store: Store) -> Models:
    """The own models: what they need (numpy, onnxruntime, 100 MB) is loaded by the first question."""
    models: Models = import_module("openflywheel.wheel.gateway.models").OwnModels(settings, store)
    return models


def check(settings: Settings) -> None:
    """Raises SettingsError for what would only fail in a worker process."""
    providers(settings), routes(settings), _teachers(settings)


def gateway_settings(settings: Settings) -> GatewaySettings:
    """The table `serve: gateway:`, or its defaults. Raises SettingsError."""
    return gateway(**_chosen(settings, "gateway"))


def providers(settings: Settings) -> dict[str, Provider]:
    """The table `serve: providers:`. Raises SettingsError."""
    found: dict[str, Provider] = door.find("serve", "providers")(**_chosen(settings, "providers"))
    return found


def routes(settings: Settings) -> dict[str, Route]:
    """The table `serve: routes:`, each model of which must have a provider. Raises SettingsError."""
    found: dict[str, Route] = door.find("serve", "routes")(**_chosen(settings, "routes"))
    for task, route in found.items():
        if task not in settings.tasks or settings.tasks[task].kind != "text":
            texts = [name for name, t in settings.tasks.items() if t.kind == "text"]
            raise SettingsError(f"serve.routes: there is no text task {task!r}; {suggest(task, texts)}")
        for model in (*(v.model for v in route.variants.values()), *route.fallback):
            _known(model, settings, f"serve.routes: {task}")
    return found


def _teachers(settings: Settings) -> dict[str, str]:
    """Label task -> the model that answers where our own is not sure enough."""
    found = {task: rule.other for task, rule in rules(settings).items() if rule.other != PERSON}
    for task, model in found.items():
        _known(model, settings, f"serve.cascade: {task}: else")
    return found


def _known(model: str, settings: Settings, where: str) -> None:
    named = providers(settings)
    if model.partition("/")[0] not in named:
        choices = ", ".join(named) or "none"
        raise SettingsError(f"{where}: {model!r} names no provider; write PROVIDER/MODEL, one of: {choices}")


def _chosen(settings: Settings, name: str) -> dict[str, Any]:
    tables = [c.settings for c in settings.rooms.get("serve", ()) if c.name == name]
    return tables[-1] if tables else {}

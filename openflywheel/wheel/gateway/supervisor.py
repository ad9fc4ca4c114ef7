"""The processes behind `flywheel serve`: workers that answer, and one that flushes and turns."""

import multiprocessing
import os
import socket
from importlib import import_module
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from openflywheel.base.errors import SettingsError
from openflywheel.base.settings import read
from openflywheel.serve.gateway import LOOPBACK, GatewaySettings
from openflywheel.store import Store
from openflywheel.store.keys import Keys
from openflywheel.wheel.gateway import family
from openflywheel.wheel.gateway.application import FILE
from openflywheel.wheel.gateway.observing import metrics_folder
from openflywheel.wheel.tables import SERVED, check, gateway_settings

BACKLOG = 2048  # connections that wait to be accepted


def serve(
    file: Path, *, host: str | None = None, port: int | None = None, workers: int | None = None, turns: bool
) -> None:
    """Answer until SIGINT or SIGTERM; running requests are then finished.

    Arguments stand above the settings file. Raises SettingsError, StoreError, OSError.
    """
    settings = read(file, SERVED)
    listens = gateway_settings(settings)
    check(settings)
    host = host or listens.host
    _must_have_keys(host, settings_store=Store.of(settings))
    bound = _bind(host, listens.port if port is None else port)
    os.environ[FILE] = str(file.resolve())
    family.found()
    config = _config(listens, workers or listens.workers)
    turner = multiprocessing.get_context("spawn").Process(target=_keep, args=(file.resolve(), turns))
    turner.start()
    try:
        with metrics_folder(Path(settings.store), bound.getsockname()[1]):
            Multiprocess(config, sockets=[bound]).run()
    finally:
        turner.terminate()
        turner.join()
        bound.close()


def _keep(file: Path, turns: bool) -> None:
    """In its own process, which alone loads Arrow and the models: 200 MB that this one need not carry."""
    import_module(f"openflywheel.wheel.gateway.{'turner' if turns else 'flusher'}").run(file)


def _config(listens: GatewaySettings, workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        "openflywheel.wheel.gateway.application:application",
        factory=True,
        workers=workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=round(listens.drain),
        timeout_worker_healthcheck=30,
        timeout_keep_alive=75,  # above the 60 s after which load balancers let go: they close first
        ssl_certfile=listens.certificate or None,
        ssl_keyfile=listens.private_key or None,
    )


def _must_have_keys(host: str, settings_store: Store) -> None:
    """Beyond this machine nobody may come in without a key."""
    keys = Keys(settings_store.journal).all()
    settings_store.journal.close()
    if host not in LOOPBACK and not keys:
        raise SettingsError(
            f"serve.gateway: host = {host!r} can be reached from other machines, and there is no API key; "
            "make one with: flywheel keys create --name app --scope infer --scope signal"
        )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SettingsError(
            f"serve.gateway: cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
        ) from error
    bound.listen(BACKLOG)
    bound.set_inheritable(True)
    return bound

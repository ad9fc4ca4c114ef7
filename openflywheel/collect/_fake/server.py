"""The far sides on a port of this machine, for tests."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from openflywheel.collect._fake.app import FarSides
from openflywheel.collect._fake.desk import Desk, parse


class Running:
    """Far sides that run in this process, at `url`."""

    def __init__(self, url: str, desk: Desk) -> None:
        self.url, self.desk = url, desk

    def script(self, told: Mapping[str, Any]) -> None:
        """Play another script, from an empty beginning. Raises SettingsError."""
        self.desk.put(parse(told))

    def paths(self, begins: str = "/") -> list[str]:
        """ "METHOD /path" of the requests that were made, in order."""
        return [f"{a.method} {a.path}" for a in list(self.desk.asked) if a.path.startswith(begins)]


@contextmanager
def running(told: Mapping[str, Any] | None = None) -> Iterator[Running]:
    """Far sides on a free port of 127.0.0.1 until the block ends. Raises SettingsError."""
    desk = Desk(parse(told or {}))
    with socket.create_server(("127.0.0.1", 0)) as listening, serving(FarSides(desk), listening):
        yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}", desk)


@contextmanager
def serving(app: ASGIApp, listening: socket.socket) -> Iterator[None]:
    """An application on a listening socket, in a thread, until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False))
    thread = Thread(target=server.run, args=([listening],), name="far-sides", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()

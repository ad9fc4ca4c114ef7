"""uvicorn around the fake provider, for the command line and for tests."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

from openflywheel.serve._fake.app import FakeProvider
from openflywheel.serve._fake.ledger import Bill, Received
from openflywheel.serve._fake.line import Protocol
from openflywheel.serve._fake.script import Script, parse
from openflywheel.serve._fake.stage import Stage


class Running:
    """A fake provider that runs in this process.

    `url` is the base URL for OpenAI's clients; `root` the same without /v1, for Anthropic's.
    """

    def __init__(self, url: str, stage: Stage) -> None:
        self.url, self.root = url, url.removesuffix("/v1")
        self._stage = stage

    def requests(self) -> list[Received]:
        """What was received, oldest first."""
        return self._stage.ledger.requests()

    def bill(self) -> Bill:
        """What it would have cost."""
        return self._stage.bill()

    def script(self, script: Script | Mapping[str, Any]) -> None:
        """Play another script from its beginning. Raises SettingsError."""
        self._stage.put(script if isinstance(script, Script) else parse(script))

    def clear(self) -> None:
        """Forget what was received and what it cost, files and jobs."""
        self._stage.clear()


@contextmanager
def running(script: Script | Mapping[str, Any] | None = None, port: int = 0) -> Iterator[Running]:
    """A fake provider on 127.0.0.1, on a free port if `port` is 0, until the block ends.

    Raises SettingsError for a script that cannot be used, OSError for a port that is taken.
    """
    stage = Stage(script if isinstance(script, Script) else parse(script or {}))
    with listen("127.0.0.1", port) as listening:
        server = _server(stage)
        thread = Thread(target=server.run, args=([listening],), name="fake-provider", daemon=True)
        thread.start()
        try:
            yield Running(url_of(listening), stage)
        finally:
            server.should_exit = True
            thread.join()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: clients may connect before the server runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def url_of(listening: socket.socket) -> str:
    """The base URL for clients."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


def serve(script: Script, listening: socket.socket) -> None:
    """Serve until a signal says stop."""
    _server(Stage(script)).run([listening])


def _server(stage: Stage) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            FakeProvider(stage),
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,  # seconds; the clients' own pools should be the first to let go
        )
    )

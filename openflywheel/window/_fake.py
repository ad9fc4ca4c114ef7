"""`flywheel fake-provider`: the far sides of models and of sources, for tests, on this machine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import uvicorn
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from openflywheel.base.errors import SettingsError
from openflywheel.collect._fake import desk
from openflywheel.collect._fake.app import CONTROL, FarSides
from openflywheel.collect._fake.desk import Desk
from openflywheel.serve._fake import script
from openflywheel.serve._fake.app import FakeProvider
from openflywheel.serve._fake.line import Protocol
from openflywheel.serve._fake.server import listen, url_of
from openflywheel.serve._fake.stage import Stage
from openflywheel.window._command import command

SOURCES = "sources"  # the field of a script that is for the far sides of sources


class Listening(Struct, frozen=True):
    """Where clients find the fake provider."""

    url: str


class Everything:
    """One door for both: the models under /v1 (steered under /fake), the far sides of sources elsewhere."""

    def __init__(self, stage: Stage, sources: Desk) -> None:
        self._models, self._sources = FakeProvider(stage), FarSides(sources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"]
        models = path.startswith(("/v1/", "/fake/", "/health")) and not path.startswith(CONTROL)
        await (self._models if models else self._sources)(scope, receive, send)


def told(text: bytes) -> tuple[script.Script, desk.Script]:
    """What the models are told, and under "sources" the far sides of sources. Raises SettingsError."""
    try:
        said: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise SettingsError(f"the script cannot be used: {error}") from None
    sources = said.pop(SOURCES, {})
    return script.parse(said), desk.parse(sources)


def _show(found: Listening) -> Iterator[str]:
    yield found.url


@command("fake-provider", show=_show)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8399, show_default=True, help="0: a free one.")
@click.option(
    "--script",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON that says what to answer.  [default: echo]",
)
def fake_provider(host: str, port: int, path: Path | None) -> Iterator[Listening]:
    """Answer as providers of models and data would, for tests.

    Prints the base URL for OpenAI's clients, then serves until it is interrupted. Without its /v1 the URL is
    that of Bright Data, SearXNG, Brave, the ticket systems, wikis and forums, and of a small site to crawl.
    """
    models, sources = told(path.read_bytes()) if path else (script.Script(), desk.Script())
    with listen(host, port) as listening:
        yield Listening(url_of(listening))
        app = Everything(Stage(models), Desk(sources))
        plain: Any = {"ws": "none", "lifespan": "off", "log_config": None, "access_log": False}
        uvicorn.Server(uvicorn.Config(app, http=Protocol, server_header=False, **plain)).run([listening])


COMMANDS = {"fake-provider": fake_provider}

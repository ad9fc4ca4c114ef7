"""`flywheel fake-provider`: an OpenAI and Anthropic API for tests, on this machine."""

from collections.abc import Iterator
from pathlib import Path

import click
from msgspec import Struct

from openflywheel.serve._fake.script import Script, parse
from openflywheel.serve._fake.server import listen, serve, url_of
from openflywheel.window._command import command


class Listening(Struct, frozen=True):
    """Where clients find the fake provider."""

    url: str


def _show(found: Listening) -> Iterator[str]:
    yield found.url


@command("fake-provider", show=_show)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8399, show_default=True, help="0: a free one.")
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON that says what to answer.  [default: echo]",
)
def fake_provider(host: str, port: int, script: Path | None) -> Iterator[Listening]:
    """Answer as OpenAI and Anthropic would, without a model, for tests.

    Prints the base URL for clients, then serves until it is interrupted.
    """
    told = parse(script.read_bytes()) if script else Script()
    with listen(host, port) as listening:
        yield Listening(url_of(listening))
        serve(told, listening)


COMMANDS = {"fake-provider": fake_provider}

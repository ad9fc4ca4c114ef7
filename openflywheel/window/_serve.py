"""The command that answers over HTTP."""

import sys
from pathlib import Path

import click

from openflywheel.base.settings import read
from openflywheel.wheel.gateway import supervisor
from openflywheel.wheel.tables import SERVED, gateway_settings
from openflywheel.window._command import file_option


@click.command("serve")
@click.option("--host", help="Listen here.  [default: serve.gateway.host, 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port.  [default: 8300]")
@click.option("--workers", type=click.IntRange(1), help="Processes that answer.  [default: 1]")
@click.option("--turns/--no-turns", default=True, show_default=True, help="Turn the wheel when it is time.")
@file_option
def serve(file: Path, host: str | None, port: int | None, workers: int | None, turns: bool) -> None:
    """Answer over HTTP, hear signals, and turn when it is time, until interrupted.

    Clients of OpenAI's and Anthropic's APIs change their base URL to the one that is printed.
    """
    listens = gateway_settings(read(file, SERVED))
    scheme = "https" if listens.certificate else "http"
    shown = f"{scheme}://{host or listens.host}:{listens.port if port is None else port}"
    click.echo(f"{shown}/v1  (OpenAI SDK)   {shown}  (Anthropic SDK)", file=sys.stderr)
    supervisor.serve(file, host=host, port=port, workers=workers, turns=turns)


COMMANDS = {"serve": serve}

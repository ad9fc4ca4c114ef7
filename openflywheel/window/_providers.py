"""The command that shows the model providers."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from openflywheel.base.settings import read
from openflywheel.store import Store
from openflywheel.wheel.dependence import Providers, look_at_providers
from openflywheel.window._command import command, file_option

NONE = "no providers; name them in the settings under serve.providers"


def _show(found: Providers) -> Iterator[RenderableType]:
    if not found.providers:
        yield NONE
        return
    columns = ("provider", "speaks", "asked", "failed", "answers", "median", "p95", "")
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for p in found.providers:
        said = f"reachable: {p.reachable}" if p.reachable else p.last_error
        seconds = [f"{s:.2f} s" if s is not None else "" for s in (p.median_seconds, p.p95_seconds)]
        table.add_row(
            p.name, p.dialect, f"{p.attempts:,}", f"{p.failures:,}", f"{p.share:.0%}", *seconds, Text(said)
        )
    yield table
    for warning in found.warnings:
        yield Text(f"warning: {warning}", "yellow")


@command("providers", show=_show)
@click.option("--check", is_flag=True, help="Ask each provider for its list of models now.")
@file_option
def providers(file: Path, check: bool) -> Providers:
    """Show how the providers did over the last day, and on whom all depends."""
    settings = read(file)
    with closing(Store.of(settings)) as store:
        return look_at_providers(settings, store, ask=check)


COMMANDS = {"providers": providers}

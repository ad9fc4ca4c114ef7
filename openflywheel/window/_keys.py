"""API keys of the gateway: create, list, revoke. A running gateway notices within a second."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import click
from rich import box
from rich.console import RenderableType
from rich.table import Table

from openflywheel.base.keys import SCOPES, ShownKey, shown
from openflywheel.base.settings import duration, read
from openflywheel.store import Store
from openflywheel.store.keys import Keys
from openflywheel.window._command import command, file_option
from openflywheel.window._figures import ago, quoted, span


def _show_made(key: ShownKey) -> Iterator[RenderableType]:
    told = (
        f"API key {key.id} for {quoted(key.name)}: {', '.join(key.scopes)}. It is shown this once; keep it."
    )
    print(told, file=sys.stderr)  # so that  KEY=$(flywheel keys create ...)  holds the secret alone
    yield key.secret


@command("create", show=_show_made)
@click.option("--name", required=True, help="Who holds it.")
@click.option(
    "--scope", "scopes", required=True, multiple=True, help=f"{', '.join(SCOPES)}; repeat it for several."
)
@click.option("--rate", default="", help="Requests of the key: 5/s, 100/m, 1000/h, 20/d.")
@click.option("--subject-rate", default="", help="Requests of each person under the key.")
@click.option("--budget", default="", help="Money of the key: 5/d for a day, 99.50/m for a month (UTC).")
@click.option("--subject-budget", default="", help="Money of each person under the key.")
@click.option("--tenant", default="", help="Name that stands on the key's exchanges.")
@click.option("--expires", help="After how long it ends: 12h, 90d.  [default: never]")
@file_option
def create(file: Path, name: str, scopes: tuple[str, ...], expires: str | None, **limits: str) -> ShownKey:
    """Make an API key.

    Its secret is printed once and kept nowhere: what is stored is its SHA-256.
    """
    ends = time.time() + duration(expires) if expires else None
    with closing(Store.of(read(file))) as store:
        return shown(*Keys(store.journal).create(name, scopes, expires=ends, **limits))


def _show_keys(keys: Sequence[ShownKey]) -> Iterator[RenderableType]:
    if not keys:
        yield "No API keys: only this machine may ask. Make one with: flywheel keys create"
        return
    table = Table("id", "name", "scopes", "state", "limits", "created", box=box.SIMPLE_HEAD)
    for key in keys:
        table.add_row(
            key.id, quoted(key.name), ", ".join(key.scopes), _state(key), _limits(key), ago(key.created)
        )
    yield table


def _state(key: ShownKey) -> str:
    if key.state == "valid" and key.expires is not None:
        return f"valid for {span(key.expires - time.time())}"
    return key.state


def _limits(key: ShownKey) -> str:
    """ "rate 100/m, budget 5/d"."""
    names = ("rate", "subject_rate", "budget", "subject_budget", "tenant")
    return ", ".join(f"{n.replace('_', ' ')} {getattr(key, n)}" for n in names if getattr(key, n))


@command("list", show=_show_keys)
@file_option
def list_(file: Path) -> list[ShownKey]:
    """Show every API key, revoked ones too."""
    with closing(Store.of(read(file))) as store:
        return [shown(key) for key in Keys(store.journal).all()]


def _show_revoked(key: ShownKey) -> Iterator[RenderableType]:
    yield f"API key {key.id} ({quoted(key.name)}) is revoked; a running gateway refuses it within a second."


@command("revoke", show=_show_revoked)
@click.argument("id")
@file_option
def revoke(file: Path, id: str) -> ShownKey:
    """Take an API key back, for good.

    ID is what `flywheel keys list` shows.
    """
    with closing(Store.of(read(file))) as store:
        return shown(Keys(store.journal).revoke(id))


@click.group("keys")
def keys() -> None:
    """Create, list and revoke API keys of the gateway."""


for one in (create, list_, revoke):
    keys.add_command(one)

COMMANDS = {"keys": keys}

"""Models on the command line: list, show, compare, export, import."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import RenderableType
from rich.table import Column, Table

from openflywheel.base.nouns import Model
from openflywheel.base.settings import read
from openflywheel.customize._hosted.run import Run
from openflywheel.store import Store
from openflywheel.wheel.models import (
    ListedModel,
    ModelDifference,
    ShownModel,
    difference,
    exported,
    imported,
    jobs_cancelled,
    listed,
    shown,
)
from openflywheel.window._command import Listing, command, file_option
from openflywheel.window._figures import ago, plural, short

MEGA = 1_000_000
TOLD = 10  # labels that are shown; --json has more


def _show_list(models: Sequence[ListedModel]) -> Iterator[RenderableType]:
    if not models:
        yield "No models yet; teach one with: flywheel turn"
        return
    right = [Column(title, justify="right") for title in ("MB", "CPU-s")]
    table = Table("model", "task", "method", "state", *right, "made", box=box.SIMPLE_HEAD)
    for m in models:
        table.add_row(
            short(m.id), m.task, m.method, m.state, f"{m.size / MEGA:.1f}", f"{m.cost:.1f}", ago(m.at)
        )
    yield table


@command("list", show=_show_list)
@file_option
def list_(file: Path) -> list[ListedModel]:
    """Show every model of the store, the newest first."""
    with closing(Store.of(read(file))) as store:
        return listed(store)


def _show_model(found: ShownModel) -> Iterator[RenderableType]:
    model = found.model
    yield f"{model.name} {short(model.id)}: {model.method} on {model.base or 'nothing'}, {found.state}"
    yield f"{found.size / MEGA:.1f} MB in {model.uri}, taught in {model.cost:.1f} CPU-s, {ago(model.at)}"
    if model.report:
        table = Table("figure", Column("value", justify="right"), box=box.SIMPLE_HEAD)
        for name, value in model.report.items():
            table.add_row(name, f"{value:.4g}")
        yield table
    for verdict in found.verdicts:
        yield f"{verdict.check}: {verdict.passed}; {verdict.reason}"
    yield f"Where it comes from: flywheel why {short(model.id)}"


@command("show", show=_show_model)
@click.argument("model")
@file_option
def show(file: Path, model: str) -> ShownModel:
    """Show a model: what it is, how well it did, what was decided about it.

    MODEL is an id or the beginning of one, or a task (then it is its champion).
    """
    with closing(Store.of(read(file))) as store:
        return shown(store, model)


def _show_difference(found: ModelDifference) -> Iterator[RenderableType]:
    if found.before.id == found.after.id:
        yield f"It is one model: {found.before.name} {short(found.before.id)}."
        return
    names = [f"{m.name} {short(m.id)} ({m.state})" for m in (found.before, found.after)]
    yield f"From {names[0]} to {names[1]}:"
    yield f"taught by {plural(found.rows_came, 'row')} more and {found.rows_left:,} less"
    for title, labels in (("came", found.labels_came), ("left", found.labels_left)):
        if labels:
            more = f" and {len(labels) - TOLD:,} more" if len(labels) > TOLD else ""
            yield f"labels that {title}: {', '.join(labels[:TOLD])}{more}"
    both = {**found.report, **found.facts}
    if both:
        table = Table("figure or fact", "before", "after", box=box.SIMPLE_HEAD)
        for name, (before, after) in both.items():
            table.add_row(name, _value(before), _value(after))
        yield table


def _value(value: Any) -> str:
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


@command("diff", show=_show_difference)
@click.argument("before")
@click.argument("after")
@file_option
def diff(file: Path, before: str, after: str) -> ModelDifference:
    """Show what changed from one model to another: rows, labels, figures, settings."""
    with closing(Store.of(read(file))) as store:
        return difference(store, before, after)


def _show_exported(model: Model) -> Iterator[str]:
    yield f"Exported {model.name} {short(model.id)}; take it in elsewhere with: flywheel models import FOLDER"


@command("export", show=_show_exported)
@click.argument("model")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="A folder that is not there yet.")
@file_option
def export(file: Path, model: str, to: Path) -> Model:
    """Copy a model to a folder of its own, with its manifest, weights and card."""
    with closing(Store.of(read(file))) as store:
        return exported(store, model, to)


def _show_imported(model: Model) -> Iterator[str]:
    yield f"Imported {model.name} {short(model.id)}; the next turn examines it: flywheel turn"


@command("import", show=_show_imported)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--task", default="", help="The task that it is for; by default the one that it was taught.")
@file_option
def import_(file: Path, folder: Path, task: str) -> Model:
    """Take a model's folder into the store. It serves only once it has passed what every candidate must."""
    settings = read(file)
    with closing(Store.of(settings)) as store:
        return imported(settings, store, folder, task)


def _show_cancelled(runs: Sequence[Run]) -> Iterator[str]:
    if not runs:
        yield "No job is at work at a provider."
    for run in runs:
        yield f"{run.task}: {run.base} at {run.provider}: {run.stage}"


@command("cancel", show=_show_cancelled)
@click.argument("task", default="", metavar="[TASK]")
@file_option
def cancel(file: Path, task: str) -> list[Run]:
    """Cancel the tuning jobs that are at work at providers, of TASK alone if it is named.

    A provider bills what it has trained until then. The model of a job that has just succeeded is not lost:
    the next turn takes it.
    """
    settings = read(file)
    with closing(Store.of(settings)) as store:
        return jobs_cancelled(settings, store, task)


@click.group("models", cls=Listing)
def models() -> None:
    """List, show, compare, export and import models; cancel jobs."""


for one in (list_, show, diff, export, import_, cancel):
    models.add_command(one)

COMMANDS = {"models": models}

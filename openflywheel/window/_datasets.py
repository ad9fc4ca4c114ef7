"""Versions of datasets on the command line: list, show, compare, export."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import get_args

import click
from rich import box
from rich.console import RenderableType
from rich.table import Column, Table

from openflywheel.base.settings import read
from openflywheel.curate._card import NONE, Card
from openflywheel.customize._hosted.export import Exported
from openflywheel.customize._hosted.formats import Format
from openflywheel.store import Store
from openflywheel.wheel.datasets import Difference, Listed, difference, exported, is_folder, listed, version
from openflywheel.window._command import Listing, command, file_option
from openflywheel.window._figures import ago, plural, quoted, short

TOLD = 20  # values of one kind that are shown; --json has more
LONGEST = 80  # characters of a text


@contextmanager
def _store(file: Path, names: Iterable[str]) -> Iterator[Store | None]:
    """The store, opened only if one of the names is not a folder's."""
    if all(is_folder(name) for name in names):
        yield None
        return
    with closing(Store.of(read(file))) as store:
        yield store


def _show_list(datasets: Sequence[Listed]) -> Iterator[RenderableType]:
    if not datasets:
        yield "No datasets yet; make one with: flywheel turn"
        return
    columns = ("version", "name", "task", "role", Column("rows", justify="right"), "recipe", "made")
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for d in datasets:
        table.add_row(short(d.id), d.name, d.task, d.role, f"{d.rows:,}", d.recipe, ago(d.at))
    yield table


@command("list", show=_show_list)
@file_option
def list_(file: Path) -> list[Listed]:
    """Show every dataset of the store, the newest first."""
    with closing(Store.of(read(file))) as store:
        return listed(store)


def _show_card(card: Card) -> Iterator[RenderableType]:
    yield f"{card.name} {short(card.version)}, made {ago(card.created_at)} by the recipe {card.recipe_hash}"
    made = f", {card.synthetic:.1%} synthetic" if card.synthetic else ""
    yield f"{plural(card.rows, 'row')}, {card.tokens:,} tokens, {plural(card.subjects, 'subject')}{made}"
    for name, counts in card.counts.items():
        if set(counts) - {NONE}:
            yield _counts(name, counts)
    if card.dropped:
        yield _counts("reason to drop", card.dropped)
    if card.waiting:
        yield f"{plural(card.waiting, 'dropped row')} would come back: curate everything again to have them"


def _counts(name: str, counts: dict[str, int]) -> Table:
    table = Table(name, Column("rows", justify="right"), box=box.SIMPLE_HEAD)
    for value, number in list(counts.items())[:TOLD]:
        table.add_row(_line(value), f"{number:,}")
    if len(counts) > TOLD:
        table.add_row(f"and {len(counts) - TOLD:,} more", "")
    return table


def _line(text: str) -> str:
    """A value on one line; what people wrote must not steer the terminal."""
    plain = quoted(text)[1:-1]
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}…"


@command("show", show=_show_card)
@click.argument("dataset")
@file_option
def show(file: Path, dataset: str) -> Card:
    """Show what is in a dataset.

    DATASET is an id or the beginning of one, a name (then it is the newest of that name), name@id, or a
    folder that `flywheel curate --to` wrote.
    """
    with _store(file, [dataset]) as store:
        return version(dataset, store).card()


def _show_difference(found: Difference) -> Iterator[RenderableType]:
    names = [f"{card.name} {short(card.version)}" for card in (found.before, found.after)]
    if found.before.version == found.after.version:
        yield f"{names[0]} and {names[1]} are the same."
        return
    rows = found.rows
    changed = ", ".join(f"{number:,} in their {name}" for name, number in rows.changed.items() if number)
    yield f"From {names[0]} ({found.before.rows:,} rows) to {names[1]} ({found.after.rows:,}):"
    yield f"{plural(rows.came, 'row')} came, {rows.left:,} left, changed: {changed or 'none'}"
    for title, texts in (("came", rows.came_texts), ("left", rows.left_texts)):
        yield from (f"{title}: {_line(text)}" for text in texts)
    for change in rows.samples:
        parts = [f"{name} {_line(str(a))} → {_line(str(b))}" for name, (a, b) in change.fields.items()]
        yield f"changed: {_line(change.text)}: {'; '.join(parts)}"
    for name, counts in found.counts.items():
        if counts:
            yield _moves(name, counts)
    yield from _show_recipes(found)


def _moves(name: str, counts: dict[str, tuple[int, int]]) -> Table:
    right = [Column(title, justify="right") for title in ("before", "after", "")]
    table = Table(name, *right, box=box.SIMPLE_HEAD)
    for value, (before, after) in list(counts.items())[:TOLD]:
        table.add_row(_line(value), f"{before:,}", f"{after:,}", f"{after - before:+,}")
    return table


def _show_recipes(found: Difference) -> Iterator[str]:
    hashes = [card.recipe_hash for card in (found.before, found.after)]
    if hashes[0] == hashes[1]:
        yield f"The recipe is the same: {hashes[0]}"
        return
    yield f"The recipe changed from {hashes[0]} to {hashes[1]}"
    for turned in found.recipe:
        before, after = (
            "no such step" if s is None else str(s or "no settings") for s in (turned.before, turned.after)
        )
        yield f"{turned.step}: {before} → {after}"


@command("diff", show=_show_difference)
@click.argument("before")
@click.argument("after")
@file_option
def diff(file: Path, before: str, after: str) -> Difference:
    """Show what changed from one version to another.

    BEFORE and AFTER are named as for `flywheel datasets show`. A row is the same when it is the same part of
    the same record, else when its text is the same but for case and white space.
    """
    with _store(file, [before, after]) as store:
        return difference(version(before, store), version(after, store))


def _show_exported(found: Exported) -> Iterator[str]:
    yield f"Wrote {plural(found.rows, 'row')}, some {found.tokens:,} tokens, to {found.path} as {found.form}"
    yield from (f"left out {number:,}: {reason}" for reason, number in found.dropped.items())


@command("export", show=_show_exported)
@click.argument("dataset")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The file, JSON Lines.")
@click.option("--as", "form", type=click.Choice(get_args(Format)), required=True, help="Whose format.")
@click.option("--system", default="", help="An instruction before every chat.")
@file_option
def export(file: Path, dataset: str, to: Path, form: Format, system: str) -> Exported:
    """Write a dataset of the store as a training file for a provider. Held-out rows are refused."""
    with closing(Store.of(read(file))) as store:
        return exported(dataset, store, to, form, system)


@click.group("datasets", cls=Listing)
def datasets() -> None:
    """List, show, compare and export versions of datasets."""


for one in (list_, show, diff, export):
    datasets.add_command(one)

COMMANDS = {"datasets": datasets}

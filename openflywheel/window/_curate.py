"""`flywheel curate`: records that wait become rows; why one did not; data beside the store."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click
from msgspec import Struct
from rich import box
from rich.console import Console, RenderableType
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from openflywheel.base.nouns import Step
from openflywheel.base.settings import read
from openflywheel.collect._terms import Basis
from openflywheel.curate._card import Card
from openflywheel.curate._engine.reading import Terms
from openflywheel.curate._engine.stats import Progress, Stats
from openflywheel.wheel.curating import curate_beside
from openflywheel.wheel.explaining import Said, explain
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window._command import command, file_option
from openflywheel.window._figures import shares
from openflywheel.window._steps import any_failed, show_steps


class Curated(Struct, frozen=True):
    """A dataset that was written, and what each step did."""

    folder: str
    card: Card
    steps: tuple[Stats, ...]


Found = Sequence[Step] | Sequence[Said] | Curated


def _show(found: Found) -> Iterator[RenderableType]:
    if isinstance(found, Curated):
        yield _costs(found.steps)
        card = found.card
        yield f"{card.rows:,} rows, {card.tokens:,} tokens in {found.folder}, version {card.version[:12]}"
        return
    steps = [thing for thing in found if isinstance(thing, Step)]
    if steps:
        yield from show_steps(steps)
    for thing in found:
        if isinstance(thing, Said):
            yield f"{thing.step}: {thing.did}"


def _costs(steps: Sequence[Stats]) -> Table:
    """What each step took, dropped and cost, and which is the slowest."""
    table = Table("step", box=box.SIMPLE_HEAD)
    for column in ("took", "made", "dropped", "CPU-s", "rows/CPU-s"):
        table.add_column(column, justify="right")
    slowest = max(steps, key=lambda step: step.cpu_seconds, default=None)
    for step in steps:
        speed = f"{step.took / step.cpu_seconds:,.0f}" if step.cpu_seconds else ""
        table.add_row(
            f"{step.step}{' ◀ slowest' if step is slowest else ''}",
            f"{step.took:,}", f"{step.made:,}", shares(step.dropped), f"{step.cpu_seconds:.2f}", speed,
        )  # fmt: skip
    return table


def _failed(found: Found) -> bool:
    return not isinstance(found, Curated) and any_failed([s for s in found if isinstance(s, Step)])


@command("curate", show=_show, failed=_failed)
@click.option("--explain", "id", metavar="ID", help="Tell what every step did with a record or row.")
@click.option(
    "--from", "source", metavar="PATH",
    help="Curate this instead: a folder of documents, JSONL, Parquet, a Delta table.",
)  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="The dataset's folder.")
@click.option("--basis", type=click.Choice(get_args(Basis)), help="Legal basis of what is read.")
@click.option(
    "--purpose",
    "purposes",
    multiple=True,
    default=("training",),
    show_default=True,
    help="What it may be used for; may be given again.",
)
@click.option("--license", default="", help="Its license, where it does not say one.")
@click.option("--region", default="", help="Where it comes from, where it does not say so.")
@file_option
def curate(
    file: Path,
    id: str | None,
    source: str | None,
    to: Path | None,
    basis: str | None,
    purposes: tuple[str, ...],
    license: str,
    region: str,
) -> Found:
    """Let the records that wait become rows of datasets.

    With --from and --to, take data beside the store through the same steps into a dataset of its own; a run
    that was killed goes on where it was, a second run adds what is new. Exits with 1 when the room failed.
    """
    if source or to:
        if not (source and to and basis):
            raise click.UsageError("--from, --to and --basis belong together")
        terms = Terms(basis=basis, purposes=purposes, license=license, region=region)
        with _watching() as tell:
            card, steps = curate_beside(read(file), source, to, terms, tell)
        return Curated(str(to), card, steps)
    with Flywheel.open(file) as wheel:
        return list(explain(wheel, id)) if id else [wheel.advance("curate")]


@contextmanager
def _watching() -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error that says how far the run is, how fast, and what it drops."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("curating", total=None, said="")

        def tell(now: Progress) -> None:
            dropped = sum(n for step in now.steps for n in step.dropped.values())
            said = f"{now.done:,} docs, {now.speed:,.0f} docs/s, {dropped:,} dropped"
            bar.update(task, description=now.doing, completed=now.done, total=now.total, said=said)

        yield tell


COMMANDS = {"curate": curate}

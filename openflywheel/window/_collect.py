"""`flywheel collect`: fetch what the gaps ask for, and look at the sources before."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console, RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from openflywheel.base.nouns import Step
from openflywheel.wheel import collecting
from openflywheel.wheel.collecting import Checked, Explained, Planned
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window._command import command, file_option
from openflywheel.window._steps import any_failed, show_steps

Found = Sequence[Step] | Sequence[Checked] | Sequence[Planned] | Sequence[Explained]


def _show(found: Found) -> Iterator[RenderableType]:
    """Whichever was asked for."""
    steps = [thing for thing in found if isinstance(thing, Step)]
    if steps:
        yield from show_steps(steps)
        yield from (
            f"dropped {n:,}: {reason}" for step in steps for reason, n in sorted(step.dropped.items())
        )
        yield from (f"paid {s.cost:.3f} dollars to {s.provider}" for s in steps if s.cost)
    plans = [thing for thing in found if isinstance(thing, Planned)]
    if plans:
        yield _plan(plans)
    for thing in found:
        if isinstance(thing, Checked | Explained):
            yield f"{thing.source}: {thing.said or 'fine'}"
    if not found:
        yield "nothing: no source is asked, or none knows"


def _plan(plans: Sequence[Planned]) -> Table:
    table = Table("source", "gap", "what", box=box.SIMPLE_HEAD)
    for column in ("items", "dollars"):
        table.add_column(column, justify="right")
    table.add_column("note")
    for plan in plans:
        stream = plan.stream
        if stream is None:
            table.add_row(plan.source, plan.gap, "", "?", "?", plan.said)
        else:
            items = "?" if stream.items is None else f"{stream.items:,}"
            note = "; ".join(filter(None, (stream.note, ", ".join(stream.columns))))
            table.add_row(plan.source, plan.gap, stream.name, items, f"{stream.dollars:.3f}", note)
    total = sum(p.stream.dollars for p in plans if p.stream)
    table.add_row("", "", "", "", f"{total:.3f}", "in all")
    return table


def _failed(found: Found) -> bool:
    return any_failed([s for s in found if isinstance(s, Step)]) or collecting.unreachable(
        [c for c in found if isinstance(c, Checked)]
    )


@command("collect", show=_show, failed=_failed)
@click.argument("words", nargs=-1, metavar="[WORDS]")
@click.option("--task", help="The task that WORDS are for.  [default: the only one]")
@click.option("--check", is_flag=True, help="Try every source, and read nothing.")
@click.option("--dry-run", is_flag=True, help="Tell what would be read, how much, and what it would cost.")
@click.option("--explain", metavar="URL", help="Tell why a URL was taken, or was not.")
@file_option
def collect(
    file: Path, words: tuple[str, ...], task: str | None, check: bool, dry_run: bool, explain: str | None
) -> Found:
    """Fetch what the gaps ask for.

    WORDS write a gap of your own first: flywheel collect how to dispose of batteries. Without them the gaps
    are taken that wait. Exits with 1 when the room failed, or a source does not answer to --check.
    """
    with Flywheel.open(file) as wheel:
        if words:
            collecting.ask_for(wheel, " ".join(words), task or _only_task(wheel))
        if explain:
            return list(collecting.explain(wheel, explain))
        if check:
            return list(collecting.check(wheel))
        if dry_run:
            return list(collecting.plan(wheel))
        with _watching() as tell:
            wheel.handed.progress = tell
            return [wheel.advance("collect")]


def _only_task(wheel: Flywheel) -> str:
    tasks = list(wheel.settings.tasks)
    if len(tasks) > 1:
        raise click.UsageError(f"there are several tasks; choose one with --task: {', '.join(tasks)}")
    return tasks[0]


@contextmanager
def _watching() -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """A line on standard error that says how far each source is."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("collecting")

        def tell(source: str, figures: dict[str, Any]) -> None:
            said = ", ".join(f"{value:,.4g} {name}" for name, value in figures.items())
            bar.update(task, description=f"{source}: {said}")

        yield tell


COMMANDS = {"collect": collect}

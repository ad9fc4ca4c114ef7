"""Steps as a table: what each room took, gave, dropped and how long it was at it."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table

from openflywheel.base.nouns import Step
from openflywheel.window._figures import shares


def show_steps(steps: Sequence[Step]) -> Iterator[RenderableType]:
    """A line a room, then the errors."""
    table = Table("room", box=box.SIMPLE_HEAD)
    for column in ("took", "gave", "dropped", "seconds"):
        table.add_column(column, justify="right")
    for step in steps:
        style = "red" if step.error else ""
        dropped = shares(step.dropped)
        table.add_row(
            step.room, f"{step.took:,}", f"{step.gave:,}", dropped, f"{step.seconds:.2f}", style=style
        )
    yield table
    yield from show_errors(steps)


def show_errors(steps: Sequence[Step]) -> Iterator[str]:
    """A line for each room that failed."""
    for step in steps:
        if step.error:
            yield f"{step.room} failed: {step.error}"


def any_failed(steps: Sequence[Step]) -> bool:
    """Did a room fail?"""
    return any(step.error for step in steps)

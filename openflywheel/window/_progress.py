"""Progress bars on standard error, for those who wait at a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Tell = Callable[[str, dict[str, Any]], None]


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """Lends `tick(done)`: one step on, `done` names what has just been finished."""
    with watched(what, total) as (tick, _):
        yield tick


@contextmanager
def watched(what: str, total: int) -> Iterator[tuple[Callable[[str], None], Tell]]:
    """Lends `tick(done)` and `tell(room, figures)`: a second bar, "step" of "steps", with other figures."""
    console = Console(stderr=True)
    said = TextColumn("{task.description:<20}", markup=False)  # names are plugins' own, and may hold "["
    columns = (said, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        inner = bar.add_task("", visible=False)

        def tick(done: str) -> None:
            bar.update(task, advance=1, description=f"{what}: {done}")
            bar.update(inner, visible=False)

        def tell(room: str, figures: dict[str, Any]) -> None:
            said = ", ".join(f"{n} {v:,.4g}" for n, v in figures.items() if n not in ("step", "steps"))
            done, of = figures.get("step"), figures.get("steps")
            bar.update(inner, description=f"{room}: {said}", completed=done, total=of, visible=True)

        yield tick, tell

"""What the demo prints while the wheel turns, and the report that it leaves."""

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from shutil import which
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from openflywheel.base.nouns import Reading
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.shoppers import Asked, Order
from openflywheel.window.simulate import Cycle

COLUMNS = (
    "turn", "users", "answered", "accuracy", "to humans", "cost/1,000", "labels", "gate", "seconds",
    "bottleneck",
)  # fmt: skip
SLOWEST = "curate.slowest"  # of the readings of curation's steps, the one that people look at first
COLOURS = {"promoted": "green", "refused": "red", "inconclusive": "yellow"}


class Before(Struct, frozen=True):
    """A message that the first model answered with `was`, and today's with `now`."""

    text: str
    was: str
    now: str


class Story:
    """A table that grows by a row a turn, under a progress bar; on standard error when `quiet`."""

    def __init__(self, wheel: Flywheel, place: Path, turns: int, *, quiet: bool) -> None:
        self._wheel, self._place, self._turns = wheel, place, turns
        self._console = Console(stderr=quiet, quiet=quiet, width=None if Console().is_terminal else 110)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=self._console, transient=True, disable=quiet or not self._console.is_terminal,
        )  # fmt: skip
        self._bar = self._progress.add_task("turning", total=turns)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, messages: int) -> None:
        """Say what will be seen."""
        print_ = self._progress.console.print
        print_("[bold]The support desk of Juniper & Oak[/bold] (a shop that does not exist: sample data)")
        print_(f"{messages:,} messages wait, each is written once; encoder: {self._wheel.encoder.name}")
        print_("Customers write, the desk answers with a help article or hands over; the wheel turns.")
        print_("labels: to learn from + to judge by; cost: calls, people and wrong answers, in euros\n")
        print_(_line(COLUMNS), style="bold")

    def tell(self, cycle: Cycle) -> None:
        """One row."""
        cells = row(cycle)
        colour = COLOURS.get(cycle.verdict, "default")
        self._progress.console.print(_line(cells), style=colour, highlight=False)
        if cycle.reason:
            self._progress.console.print(
                f"{'':6}{cycle.verdict}: {escape(cycle.reason)}", style="dim", highlight=False
            )
        self._progress.advance(self._bar)

    def tell_shoppers(self, asked: Asked, orders: Sequence[Order]) -> None:
        """What shoppers asked, and what the wheel fetched because of it."""
        say = self._progress.console.print
        say(f"{'':6}shoppers: {_asked(asked)}", style="dim", highlight=False)
        for order in orders:
            say(f"{'':6}a gap: {escape(_ordered(order))}", style="cyan", highlight=False)

    def end(self, cycles: Sequence[Cycle], asked: Sequence[Asked], better: Sequence[Before]) -> None:
        """The wheel's own report: printed, and kept as Markdown."""
        every = self._wheel.readings()
        readings = [r for r in every if not r.name.startswith("curate.") or r.name == SLOWEST]
        titles = _titles()
        table = Table("reading", "value", "interval", "note", title="What the wheel says about itself")
        for reading in readings:
            table.add_row(*map(escape, _cells(reading)))
        self._progress.stop()
        self._console.print("", table)
        for seen in better:
            was, now = titles.get(seen.was, seen.was), titles.get(seen.now, seen.now)
            text, was, now = map(escape, (seen.text, was, now))
            self._console.print(f"\n  “{text}”\n    first: {was}\n    now:   [green]{now}[/green]")
        report = self._place / "report.md"
        report.write_text(_report(cycles, asked, readings, better, titles), encoding="utf-8")
        self._console.print(f"\nThe report is in {report}. Look further:")
        flywheel = _command()
        for looks in ("map", "why intent", "readings"):
            self._console.print(f"  {flywheel} {looks} -f {self._place}/flywheel.yaml", highlight=False)


def _command() -> str:
    """How to call flywheel from here: by its name, or by its place in a virtual environment not entered."""
    found = Path(sys.executable).with_name("flywheel")
    if which("flywheel") or not found.exists():
        return "flywheel"
    return str(found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found)


def row(cycle: Cycle) -> tuple[str, ...]:
    """A cycle as the cells of COLUMNS."""
    accuracy = "-" if cycle.accuracy is None else f"{cycle.accuracy:.1%}"
    return (
        str(cycle.turn),
        str(cycle.users),
        f"{cycle.answered:.1%}",
        accuracy,
        f"{cycle.handed_over:.1%}",
        f"{cycle.cost_per_1000:,.0f}",
        f"{cycle.labels}+{cycle.holdout}",
        cycle.verdict,
        f"{cycle.seconds:.1f}",
        cycle.bottleneck,
    )


def _asked(asked: Asked) -> str:
    return (
        f"of {asked.missing} about old batteries {asked.found} answered from a page about them, "
        f"of {asked.others} others {asked.others_answered}"
    )


def _ordered(order: Order) -> str:
    return f"{order.topic}: {order.why}; {order.fetched} pages fetched from the shop's website"


def _line(cells: Sequence[str]) -> str:
    widths = (5, 6, 9, 9, 10, 11, 8, 13, 8, 11)
    return " ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _cells(reading: Reading) -> tuple[str, ...]:
    interval = (
        "" if reading.low is None or reading.high is None else f"{reading.low:.3g} to {reading.high:.3g}"
    )
    name = f"{reading.name} ({reading.task})" if reading.task else reading.name
    return name, f"{reading.value:.4g} {reading.unit}".strip(), interval, reading.note


def _titles() -> dict[str, str]:
    """intent -> title of its help article."""
    lines = (files(__package__) / "shop/articles.jsonl").read_bytes().splitlines()
    return {a["label"]: a["title"] for a in map(msgspec.json.decode, lines)}


def _report(
    cycles: Sequence[Cycle],
    asked: Sequence[Asked],
    readings: Sequence[Reading],
    better: Sequence[Before],
    titles: dict[str, str],
) -> str:
    """The story in Markdown."""
    lines = [
        "# The support desk of Juniper & Oak, turn by turn",
        "Simulated customers on sample data; accuracy is measured against the truth that only the simulation"
        " knows; labels are those to learn from + those to judge by.",
        "",
        _markdown(COLUMNS),
        _markdown(["---"] * len(COLUMNS)),
        *(_markdown(row(c)) for c in cycles),
        "",
        "## Why each candidate was promoted or not",
        *(f"- turn {c.turn}: {c.verdict}: {c.reason or 'it said nothing'}" for c in cycles),
        "",
        "## What shoppers asked, before and after the wheel fetched what it lacked",
        *(f"- turn {c.turn}: {_asked(a)}" for c, a in zip(cycles, asked, strict=True)),
        "",
        "## What the wheel says about itself",
        _markdown(("reading", "value", "interval", "note")),
        _markdown(["---"] * 4),
        *(_markdown(_cells(r)) for r in readings),
        "",
        "## The same question, then and now",
        *(f"- “{b.text}”: {titles.get(b.was, b.was)} → **{titles.get(b.now, b.now)}**" for b in better),
    ]
    return "\n".join(lines) + "\n"


def _markdown(cells: Sequence[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"

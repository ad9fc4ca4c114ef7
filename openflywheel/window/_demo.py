"""Traffic without users: the demo, and the simulation of labelled messages."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich import box
from rich.console import RenderableType
from rich.table import Table

from openflywheel.base.door import ROOMS
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window import demo as shop
from openflywheel.window._command import command, file_option, json_option
from openflywheel.window._progress import progress
from openflywheel.window.simulate import Cycle
from openflywheel.window.simulate import simulate as send
from openflywheel.window.story import COLUMNS, row


@click.command("demo")
@click.option("--turns", type=click.IntRange(1), default=8, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed tells another story.")
@click.option("--folder", type=click.Path(path_type=Path), default="demo", show_default=True)
@click.option("--without", type=click.Choice(ROOMS), multiple=True, help="Switch a room off.")
@click.option(
    "--customize", metavar="TRAINER", default="", help="Let another trainer teach, as encoder_lora."
)
@json_option
def demo(
    turns: int, seed: int, folder: Path, without: tuple[str, ...], customize: str, as_json: bool
) -> None:
    """Watch a support desk get better by itself, turn by turn.

    Simulated customers write, are answered or handed over, react; and the wheel turns.
    """
    shop.run(turns=turns, seed=seed, folder=folder, without=without, customize=customize, as_json=as_json)


def _show(cycles: Sequence[Cycle]) -> Iterator[RenderableType]:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for title in COLUMNS:
        table.add_column(title, justify="right")
    for cycle in cycles:
        table.add_row(*row(cycle))
    yield table


@command("simulate", show=_show)
@click.argument("messages", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--task", required=True, help="The task that the messages are for.")
@click.option("--turns", type=click.IntRange(1), default=8, show_default=True)
@click.option("--conversations", type=click.IntRange(1), default=200, show_default=True, help="In each turn.")
@click.option("--seed", type=int, default=0, show_default=True)
@file_option
def simulate(file: Path, messages: Path, task: str, **traffic: int) -> list[Cycle]:
    """Send labelled messages of a file as traffic, and turn.

    FILE is CSV or JSON Lines with the columns text and label. Simulated people rate and correct the
    answers, simulated experts answer the questions.
    """
    with Flywheel.open(file) as wheel, progress("simulating", traffic["turns"]) as tick:
        return send(wheel, task, messages, progress=lambda c: tick(f"turn {c.turn}, {c.verdict}"), **traffic)


COMMANDS = {"demo": demo, "simulate": simulate}

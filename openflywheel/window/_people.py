"""What the product does for people, by hand: ask, and tell how it went."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import RenderableType

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window._command import command, file_option
from openflywheel.window._figures import short
from openflywheel.window._sureness import sureness


def _show_exchange(exchange: Exchange) -> Iterator[RenderableType]:
    if exchange.output:
        said = ", ".join(filter(None, [sureness(exchange), f"model {short(exchange.variant)}"]))
        yield f"{exchange.output} ({said})"
    elif not exchange.choices and not exchange.verdicts:
        yield "A person should answer: no model serves yet; teach one with: flywheel turn"
    else:
        likely = f"; likeliest: {', '.join(exchange.choices)}" if exchange.choices else ""
        yield f"A person should answer{likely}."
    for verdict in exchange.verdicts:
        yield f"{verdict.check}: {verdict.reason}"
    yield f"Tell how it went: flywheel signal {exchange.id} --rating 1"


@command("ask", show=_show_exchange)
@click.argument("task")
@click.argument("text")
@click.option("--subject", default="", help="Who asks; kept as an opaque key.")
@file_option
def ask(file: Path, task: str, text: str, subject: str) -> Exchange:
    """Ask the champion of a task.

    The exchange is kept, as everything that the flywheel answers.
    """
    with Flywheel.open(file) as wheel:
        return wheel.ask(task, text, subject=subject)


def _show_signals(signals: Sequence[Signal]) -> Iterator[RenderableType]:
    for signal in signals:
        right = f", right is {signal.correction}" if signal.correction else ""
        yield f"Noted: {signal.kind} {signal.value:+.2g}{right}. The next turn learns from it."


@command("signal", show=_show_signals)
@click.argument("exchange", default="")
@click.option("--episode", default="", help="Tell of a whole conversation instead.")
@click.option("--rating", type=float, help="From -1 (bad) to 1 (good).")
@click.option("--stars", help="Instead: 4/5.")
@click.option("--correction", default="", help="What the user says would have been right.")
@click.option("--choice", default="", help="Which of the proposed answers the user took.")
@click.option("--label", default="", help="What an expert says is right.")
@click.option("--demonstration", default="", help="What a person wrote or sent instead.")
@click.option("--outcome", default="", help="What came of it: bought, resolved, returned, escalated, ...")
@click.option("--value", type=float, help="How good another outcome is, from -1 to 1.")
@click.option("--comment", default="", help="In the person's own words.")
@click.option("--subject", default="", help="Who says it; kept as an opaque key.")
@click.option("--at", help="When: Unix seconds, or 2026-11-21T10:00:00Z.")
@click.option("--id", default="", help="Said again under the same id it counts once.")
@file_option
def signal(file: Path, exchange: str, **said: Any) -> list[Signal]:
    """Tell how an exchange went.

    EXCHANGE is the id that `flywheel ask` printed, or that the provider gave its answer. Saying the same
    twice counts once.
    """
    with Flywheel.open(file) as wheel:
        return wheel.signal(exchange, **said)


COMMANDS = {"ask": ask, "signal": signal}

"""Turning the wheel: once, or whenever a trigger says so."""

import signal
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import click
from rich.console import RenderableType

from openflywheel.base.nouns import Step
from openflywheel.customize._budget import Estimate
from openflywheel.wheel import triggers
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.ring import TURN
from openflywheel.wheel.triggers import Turned
from openflywheel.window._command import command, file_option
from openflywheel.window._progress import watched
from openflywheel.window._steps import any_failed, show_errors, show_steps


@command("turn", show=show_steps, failed=any_failed)
@click.option(
    "--only", "room", type=click.Choice(TURN), help="Let this room alone work on what is new for it."
)
@click.option("--yes", is_flag=True, help="Agree to training that takes more than wheel.budget allows.")
@file_option
def turn(file: Path, room: str | None, yes: bool) -> list[Step]:
    """Turn the wheel once.

    From signals to serve, then velocity. A turn that was killed is finished instead. Training that would
    take more than wheel.budget allows is asked about at a terminal, and waits elsewhere. Exits with 1 when
    a room failed.
    """
    with Flywheel.open(file) as wheel, watched("turning", 1 if room else len(TURN)) as (tick, tell):
        wheel.handed.progress, wheel.handed.agree = tell, partial(_agree, yes)
        return [wheel.advance(room)] if room else wheel.turn(lambda step: tick(step.room))


def _agree(yes: bool, trainer: str, estimate: Estimate) -> bool:
    """May it take so much? Nobody is asked who does not sit at a terminal."""
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return yes
    seconds = estimate.cpu_seconds or estimate.gpu_seconds
    return click.confirm(
        f"{trainer} would take {seconds:,.0f} s, {estimate.dollars:.2f} dollars ({estimate.note}). Start it?",
        err=True,
    )


def _show_turned(turned: Turned) -> Iterator[RenderableType]:
    if turned.error:
        yield f"failed ({turned.because}): {turned.error}"
        return
    seconds = sum(s.seconds for s in turned.steps)
    gave = ", ".join(f"{s.room} {s.gave:,}" for s in turned.steps if s.gave)
    yield f"turn {turned.steps[-1].turn} ({turned.because}): {seconds:.1f} s; gave: {gave or 'nothing'}"
    yield from show_errors(turned.steps)


def _any_turn_failed(turns: Sequence[Turned]) -> bool:
    return any(t.error or any_failed(t.steps) for t in turns)


@command("spin", show=_show_turned, failed=_any_turn_failed)
@click.option("--turns", type=click.IntRange(1), help="Stop after so many.  [default: never]")
@file_option
def spin(file: Path, turns: int | None) -> Iterator[Turned]:
    """Turn whenever a trigger says so, until interrupted.

    The triggers stand in the settings under wheel.turn_when. A turn that fails is reported, and the wheel
    spins on. Ctrl-C and SIGTERM end it; an unfinished turn goes on the next time.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Flywheel.open(file) as wheel:
        yield from triggers.spin(wheel, turns=turns)


COMMANDS = {"turn": turn, "spin": spin}

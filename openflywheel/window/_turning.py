"""Turning the wheel: once, or whenever a trigger says so."""

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import RenderableType

from openflywheel.base.nouns import Step
from openflywheel.wheel import triggers
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.ring import TURN
from openflywheel.wheel.triggers import Turned
from openflywheel.window._command import command, file_option
from openflywheel.window._progress import progress
from openflywheel.window._steps import any_failed, show_errors, show_steps


@command("turn", show=show_steps, failed=any_failed)
@click.option(
    "--only", "room", type=click.Choice(TURN), help="Let this room alone work on what is new for it."
)
@file_option
def turn(file: Path, room: str | None) -> list[Step]:
    """Turn the wheel once.

    From signals to serve, then velocity. A turn that was killed is finished instead. Exits with 1 when a
    room failed.
    """
    with Flywheel.open(file) as wheel, progress("turning", 1 if room else len(TURN)) as tick:
        return [wheel.advance(room)] if room else wheel.turn(lambda step: tick(step.room))


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

"""One command a room: let it work on what is new for it, outside of a turn."""

from pathlib import Path

import click

from openflywheel.base.nouns import Step
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.ring import ROOMS
from openflywheel.window._command import command, file_option
from openflywheel.window._steps import any_failed, show_steps


def _command(room: str) -> click.Command:
    def advance(file: Path) -> list[Step]:
        with Flywheel.open(file) as wheel:
            return [wheel.advance(room)]

    line = (ROOMS[room].__doc__ or "").partition("\n")[0]
    advance.__doc__ = f"{line}\n\nLet {room} work on what is new for it. Exits with 1 when it failed."
    return command(room, show=show_steps, failed=any_failed)(file_option(advance))


COMMANDS = {room: _command(room) for room in ROOMS}

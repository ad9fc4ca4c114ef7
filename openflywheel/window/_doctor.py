"""What is wrong, and what to do."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from openflywheel.wheel.health import examine
from openflywheel.wheel.installation import Check
from openflywheel.window._command import command, file_option

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


def _show(checks: Sequence[Check]) -> Iterator[RenderableType]:
    for check in checks:
        yield Text.assemble((f"{check.state:<8}", COLOURS[check.state]), f"{check.name}: {check.what}")
        if check.remedy:
            yield f"        {check.remedy}"


def _any_error(checks: Sequence[Check]) -> bool:
    return any(check.state == "error" for check in checks)


@command("doctor", show=_show, failed=_any_error)
@file_option
def doctor(file: Path) -> list[Check]:
    """Find what is wrong, and say what to do.

    Exits with 1 when there is an error; warnings are worth a look.
    """
    return list(examine(file))


COMMANDS = {"doctor": doctor}

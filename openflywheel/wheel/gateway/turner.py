"""The process beside the workers that also turns the wheel, when a trigger says so."""

import logging
from pathlib import Path

from openflywheel.wheel import triggers
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.gateway.flusher import Flushing, until_stopped

log = logging.getLogger("openflywheel")


def run(file: Path) -> None:
    """Flush and turn until SIGTERM, or until the parent is gone."""
    with Flywheel.open(file) as wheel:
        turns = triggers.spin(wheel, sleep=Flushing(wheel.store).sleep)
        until_stopped(lambda: _report(next(turns)))


def _report(turned: triggers.Turned) -> None:
    for step in turned.steps:
        if step.error:
            log.warning("turn %d: %s failed: %s", step.turn, step.room, step.error)

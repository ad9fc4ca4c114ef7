"""The process beside the workers: brings the lake up to date, and turns the wheel when a trigger says so."""

import logging
import signal
import time
from pathlib import Path

from openflywheel.base.errors import FlywheelError
from openflywheel.base.settings import read
from openflywheel.store import Store
from openflywheel.wheel import triggers
from openflywheel.wheel.flywheel import Flywheel

FLUSH_EVERY = 5.0  # seconds: so old may the lake be while nobody reads it

log = logging.getLogger("openflywheel")


def keep(file: Path, turns: bool) -> None:
    """Flush until SIGTERM; with `turns` also turn. Ctrl-C is for the parent, which then says so here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if turns:
            _spin(file)
        else:
            _flush_for_ever(file)
    except KeyboardInterrupt:
        return


def _spin(file: Path) -> None:
    with Flywheel.open(file) as wheel:
        flushing = _Flushing(wheel.store)
        for turned in triggers.spin(wheel, sleep=flushing.sleep):
            for step in turned.steps:
                if step.error:
                    log.warning("turn %d: %s failed: %s", step.turn, step.room, step.error)


def _flush_for_ever(file: Path) -> None:
    flushing = _Flushing(Store.of(read(file)))
    while True:
        flushing.sleep(FLUSH_EVERY)


class _Flushing:
    """A pause that brings the lake up to date when it is time."""

    def __init__(self, store: Store) -> None:
        self._store, self._due = store, time.monotonic() + FLUSH_EVERY

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        if time.monotonic() >= self._due:
            try:
                self._store.flush()
            except (FlywheelError, OSError) as error:  # the disk is full: the journal still has it all
                log.warning("the lake could not be brought up to date: %s", error)
            self._due = time.monotonic() + FLUSH_EVERY

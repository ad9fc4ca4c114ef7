"""The process beside the workers: brings the lake up to date."""

import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path

from openflywheel.base.errors import FlywheelError
from openflywheel.base.settings import read
from openflywheel.store import Store
from openflywheel.wheel.gateway.family import orphaned

FLUSH_EVERY = 5.0  # seconds: so old may the lake be while nobody reads it

log = logging.getLogger("openflywheel")


def run(file: Path) -> None:
    """Flush until SIGTERM, or until the parent is gone."""
    flushing = Flushing(Store.of(read(file, rooms=())))
    until_stopped(lambda: flushing.sleep(FLUSH_EVERY))


def until_stopped(work: Callable[[], object]) -> None:
    """Do something again and again, until SIGTERM. Ctrl-C is for the parent, which then sends that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            work()
    except KeyboardInterrupt:
        return


class Flushing:
    """A pause that brings the lake up to date when it is time; it ends when the parent is gone."""

    def __init__(self, store: Store) -> None:
        self._store, self._due = store, time.monotonic() + FLUSH_EVERY

    def sleep(self, seconds: float) -> None:
        """Sleep; flush if it is time. Raises KeyboardInterrupt when nobody needs this process any more."""
        time.sleep(seconds)
        if orphaned():
            raise KeyboardInterrupt
        if time.monotonic() >= self._due:
            try:
                self._store.flush()
            except (FlywheelError, OSError) as error:  # the disk is full: the journal still has it all
                log.warning("the lake could not be brought up to date: %s", error)
            self._due = time.monotonic() + FLUSH_EVERY

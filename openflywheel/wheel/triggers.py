"""When the wheel turns by itself: enough new signals wait, or enough time has passed."""

import logging
import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from openflywheel.base.nouns import Signal, Step
from openflywheel.wheel.flywheel import Flywheel

LOOK_EVERY = 1.0  # seconds between two looks at the triggers

log = logging.getLogger("openflywheel")


class Turned(Struct, frozen=True, kw_only=True):
    """A turn that was tried: its steps, or why there are none; `because` says what set it off."""

    because: str
    steps: list[Step] = []
    error: str = ""


def spin(
    wheel: Flywheel,
    *,
    turns: int | None = None,
    sleep: Callable[[float], object] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Iterator[Turned]:
    """Turn whenever a trigger says so, `turns` times or until the iterator is closed.

    A turn that fails is reported and logged; the next trigger starts another.
    """
    triggers = _Triggers(wheel, now())
    while turns is None or triggers.pulled < turns:
        because = triggers.due(now())
        if because:
            yield _turn(wheel, because)
            triggers.rest(now())
        else:
            sleep(LOOK_EVERY)


class _Triggers:
    """Counts from the last turn on: signals that a failed turn left do not set off another at once."""

    def __init__(self, wheel: Flywheel, start: float) -> None:
        self._store, self._when = wheel.store, wheel.settings.wheel.turn_when
        self._left = 0  # signals that the last turn of this run left behind
        self._last = max((s.at for s in self._store.all(Step) if s.at <= start), default=0.0)
        self.pulled = 0

    def due(self, moment: float) -> str:
        """What sets off a turn now; empty when nothing does."""
        new = self._store.waiting("study", Signal) - self._left
        if new >= self._when.signals:
            return f"{new} new signals"
        passed = moment - self._last
        if passed >= self._when.seconds:
            return f"{passed:.0f} seconds since the last turn" if self._last else "the first turn"
        return ""

    def rest(self, moment: float) -> None:
        """A turn was made, or tried."""
        self._last, self._left = moment, self._store.waiting("study", Signal)
        self.pulled += 1


def _turn(wheel: Flywheel, because: str) -> Turned:
    try:
        return Turned(because=because, steps=wheel.turn())
    except Exception as error:  # the disk is full, the wheel is busy: it may be better next time
        log.exception("a turn failed (%s)", because)
        return Turned(because=because, error=f"{type(error).__name__}: {error}")

"""From what people say to what answers them better."""

from collections.abc import Iterator, Sequence
from statistics import median

from openflywheel.base.champion import PROMOTION
from openflywheel.base.nouns import Reading, Signal, Step
from openflywheel.velocity import Log


def cycle_time(log: Log) -> Iterator[Reading]:
    """How long what users and experts said waits, in seconds; medians over the signals since the last look.

    signal_to_study_seconds: until the end of the first passage of study that took the signal.
    signal_to_champion_seconds: of each task that promoted a model since the last look: until that
    promotion, over the task's signals that study had taken by then.

    What the wheel hears by itself (source model or code) is left out: it is seconds old when study takes
    it, and would flatter. So is what study had not taken when velocity looked, such as signals that came
    while the turn was running: the figure is that of the others.
    """
    taken = [(s, until) for s in log.new_signals if (until := _taken(s, log.new_steps)) is not None]
    if taken:
        yield _reading(log, "signal_to_study_seconds", "", [until - s.at for s, until in taken])
    for task, at in _promoted(log).items():
        ages = [at - s.at for s, until in taken if s.task == task and until <= at]
        if ages:
            yield _reading(log, "signal_to_champion_seconds", task, ages)


def _taken(signal: Signal, steps: Sequence[Step]) -> float | None:
    """When study had taken a person's signal: a passage takes what stood when it began."""
    if signal.source not in ("user", "expert"):
        return None
    ends = (s.at for s in steps if s.room == "study" and not s.error and signal.at <= s.at - s.seconds)
    return min(ends, default=None)


def _promoted(log: Log) -> dict[str, float]:
    """task -> moment of its newest promotion; an old one has no signals that were taken before it."""
    return {v.task: v.at for v in log.verdicts if v.check == PROMOTION and v.passed == "yes"}


def _reading(log: Log, name: str, task: str, ages: Sequence[float]) -> Reading:
    note = f"median of {len(ages)} signals"
    return Reading(name=name, value=median(ages), turn=log.turn, task=task, unit="seconds", note=note)

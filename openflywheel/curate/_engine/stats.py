"""What a run did, step by step, and how far it is."""

import time
from collections import Counter
from collections.abc import Callable

from msgspec import Struct


class Stats(Struct, frozen=True, kw_only=True):
    """One step's work: rows it took (those still going on), dropped by reason, and made anew (chunks).

    `seconds` and `cpu_seconds` are sums over all processes.
    """

    step: str
    took: int = 0
    dropped: dict[str, int] = {}
    made: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def __add__(self, more: "Stats") -> "Stats":
        return Stats(
            step=self.step, took=self.took + more.took, made=self.made + more.made,
            dropped=dict(Counter(self.dropped) + Counter(more.dropped)),
            seconds=self.seconds + more.seconds, cpu_seconds=self.cpu_seconds + more.cpu_seconds,
        )  # fmt: skip


class Progress(Struct, frozen=True, kw_only=True):
    """How far a run is. `doing` names the steps in work ("normalise, quality", "near_duplicates").

    `done` of `total` rows have passed them (total: None when no shard knows), `speed` of them a second;
    `steps` are all the figures so far.
    """

    doing: str
    done: int
    total: int | None
    speed: float
    steps: tuple[Stats, ...]


Told = Callable[[Progress], object]


class Cost(Struct, frozen=True):
    """What some work took."""

    seconds: float
    cpu_seconds: float


class Clock:
    """Wall and CPU seconds of this process since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Cost:
        return Cost(time.perf_counter() - self._wall, time.process_time() - self._cpu)

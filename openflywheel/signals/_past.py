"""What came before: the newest exchanges of all conversations, to compare a new one with."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cached_property
from math import inf
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.nouns import Exchange

Matrix = NDArray[np.float32]

NEWEST = 20_000  # exchanges that are remembered: about .2 CPU-s a passage, and only if a listener asks
SAMPLE = 2_000  # of a task, spread evenly over them: bounds what is embedded
BLOCK = 256  # exchanges that are compared with a sample at once: alone each takes ten times as long


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    def encode(self, texts: Sequence[str]) -> Matrix: ...


class Sample(Struct, frozen=True):
    """Exchanges of a task, oldest first, and the vectors of their inputs, shape (n, width)."""

    exchanges: Sequence[Exchange]
    vectors: Matrix

    def before(self, exchange: Exchange) -> int:
        """How many of them are older than an exchange."""
        return bisect_left(self.exchanges, exchange.at, key=lambda e: e.at)


class Past:
    """The newest exchanges, at most `NEWEST`; `read` gives them when they are asked for.

    `fresh` are the exchanges that will be compared with them, in about that order.
    """

    def __init__(
        self, read: Callable[[], Sequence[Exchange]] = tuple, fresh: Sequence[Exchange] = ()
    ) -> None:
        self._read, self._fresh = read, fresh
        self._samples: dict[str, Sample] = {}
        self._blocks: dict[str, dict[str, Matrix]] = {}  # of each task the last one: id -> likeness

    @cached_property
    def exchanges(self) -> Sequence[Exchange]:
        """All that is remembered, oldest first."""
        return sorted(self._read(), key=lambda e: e.at)

    @property
    def since(self) -> float:
        """From when on everything is remembered (Unix seconds)."""
        return self.exchanges[0].at if len(self.exchanges) >= NEWEST else -inf

    def of(self, subject: str) -> Sequence[Exchange]:
        """A person's exchanges, oldest first."""
        return self._people.get(subject, ())

    @cached_property
    def _people(self) -> dict[str, list[Exchange]]:
        out: dict[str, list[Exchange]] = {}
        for exchange in self.exchanges:
            if exchange.subject:
                out.setdefault(exchange.subject, []).append(exchange)
        return out

    def sample(self, task: str, encoder: Encoder) -> Sample:
        """At most `SAMPLE` exchanges of a task with their vectors; they are embedded once a passage."""
        if task not in self._samples:
            own = [e for e in self.exchanges if e.task == task and e.input]
            spread = own[:: -(-len(own) // SAMPLE) or 1]
            self._samples[task] = Sample(spread, encoder.encode([e.input for e in spread]))
        return self._samples[task]

    def likeness(self, exchange: Exchange, encoder: Encoder) -> tuple[Sequence[Exchange], Matrix]:
        """A sample of the earlier exchanges of its task, and their cosines with it, shape (n,)."""
        sample = self.sample(exchange.task, encoder)
        if exchange.id not in self._blocks.get(exchange.task, ()):
            self._blocks[exchange.task] = _compare(self._block(exchange), sample, encoder)
        end = sample.before(exchange)
        return sample.exchanges[:end], self._blocks[exchange.task][exchange.id][:end]

    def _block(self, exchange: Exchange) -> Sequence[Exchange]:
        """The exchange and those that will be asked about next."""
        start = self._places.get(exchange.id)
        return [exchange] if start is None else self._tasks[exchange.task][start : start + BLOCK]

    @cached_property
    def _tasks(self) -> dict[str, list[Exchange]]:
        out: dict[str, list[Exchange]] = {}
        for exchange in self._fresh:
            if exchange.input:
                out.setdefault(exchange.task, []).append(exchange)
        return out

    @cached_property
    def _places(self) -> dict[str, int]:
        return {e.id: place for own in self._tasks.values() for place, e in enumerate(own)}


def _compare(block: Sequence[Exchange], sample: Sample, encoder: Encoder) -> dict[str, Matrix]:
    rows = encoder.encode([e.input for e in block]) @ sample.vectors.T
    return {e.id: row for e, row in zip(block, rows, strict=True)}

"""Who asks the same thing again in other words was not helped the first time."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.signals import Episode


class Encoder(Protocol):
    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def rephrase(
    episode: Episode, *, within: float = 120.0, similarity: float = 0.5, encoder: Encoder
) -> Iterator[Signal]:
    """A signal (-0.5) about an exchange that the same person asks again within `within` seconds.

    "Again" means cosine similarity of at least `similarity` but other words.
    """
    pairs = [p for p in pairwise(episode.exchanges) if _soon(*p, within)]
    if not pairs:
        return
    first = encoder.encode([a.input for a, _ in pairs])
    second = encoder.encode([b.input for _, b in pairs])
    for (before, _), alike in zip(pairs, (first * second).sum(axis=1), strict=True):
        if alike >= similarity:
            yield _signal(before)


def _soon(a: Exchange, b: Exchange, within: float) -> bool:
    return a.task == b.task and a.input != b.input and 0 <= b.at - a.at <= within


def _signal(exchange: Exchange) -> Signal:
    return Signal(
        exchange=exchange.id,
        episode=exchange.episode,
        task=exchange.task,
        subject=exchange.subject,
        kind="rephrase",
        value=-0.5,
        source="code",
        explicit=False,
    )

"""The model's own doubt is a signal: answers that it was not sure of."""

from collections.abc import Iterator

from openflywheel.base.nouns import Signal
from openflywheel.signals import Episode, derived


def uncertainty(episode: Episode, *, below: float = 0.9) -> Iterator[Signal]:
    """A signal about each exchange whose calibrated confidence is under `below`; its value is -(1 - p).

    An answer without a confidence (0: a person's, or a generator's) is not doubted. Asking about the least
    certain first is Lewis & Gale 1994 (SIGIR).
    """
    for exchange in episode.exchanges:
        if 0 < exchange.confidence < below:
            yield derived(exchange, "uncertainty", exchange.confidence - 1, "model")

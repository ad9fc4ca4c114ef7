"""The model's own doubt is a signal: answers that it was not sure of."""

from collections.abc import Iterator

from openflywheel.base.nouns import Signal
from openflywheel.signals import Episode


def uncertainty(episode: Episode, *, below: float = 0.9) -> Iterator[Signal]:
    """A signal about each exchange whose calibrated confidence is under `below`; its value is -(1 - p)."""
    for exchange in episode.exchanges:
        if exchange.confidence < below:
            yield Signal(
                exchange=exchange.id,
                episode=exchange.episode,
                task=exchange.task,
                subject=exchange.subject,
                kind="uncertainty",
                value=exchange.confidence - 1,
                source="model",
                explicit=False,
            )

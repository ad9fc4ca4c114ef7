"""What is unlike everything that the task has seen is an edge case."""

from collections.abc import Iterator

from openflywheel.base.nouns import Signal
from openflywheel.signals import Episode, derived
from openflywheel.signals._past import Encoder


def novel(
    episode: Episode, *, similarity: float = 0.4, least: int = 100, encoder: Encoder
) -> Iterator[Signal]:
    """A mark (value 0) on each exchange whose nearest earlier one is less alike than `similarity` (cosine).

    The distance to the nearest neighbour as a measure of novelty: Ramaswamy, Rastogi & Shim 2000 (SIGMOD).
    It is compared with at most 2,000 of the task's newest exchanges; fewer than `least` tell nothing. With
    MiniLM and 900 of the shop's messages, .4 marks 7 % of these and 17 of 20 questions from other fields.
    """
    for exchange in episode.exchanges:
        if exchange.input:
            before, alike = episode.past.likeness(exchange, encoder)
            if len(before) >= max(least, 1) and alike.max() < similarity:
                yield derived(exchange, "novel", 0.0, "model")

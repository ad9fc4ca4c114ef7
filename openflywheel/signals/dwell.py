"""Who goes on before the answer can have been read did not want it."""

from collections.abc import Iterator
from itertools import pairwise

from openflywheel.base.nouns import Signal
from openflywheel.signals import Episode, derived
from openflywheel.signals._words import words_of

READING = 238 / 60  # words a second, silently, in English: Brysbaert 2019, J. Memory and Language 109


def dwell(episode: Episode, *, words: int = 20, within: float = 1800.0) -> Iterator[Signal]:
    """A signal about each answer of at least `words` words that was followed by another message.

    Its value goes from -1 (at once) to 1 (after the time that reading the answer takes, or later):
    2 min(1, seconds / reading time) - 1. The seconds hold the typing of the next message too. After more
    than `within` seconds somebody was away, and nothing is said. That dwelling goes with satisfaction: Fox
    et al. 2005 (ACM TOIS 23:147).
    """
    for exchange, after in pairwise(episode.exchanges):
        length, seconds = len(words_of(exchange.output)), after.at - exchange.at
        if length >= words and 0 <= seconds <= within:
            yield derived(exchange, "dwell", 2 * min(1.0, seconds * READING / length) - 1)

"""What a guard stopped or changed is an edge case."""

from collections.abc import Iterator

from openflywheel.base.nouns import Signal
from openflywheel.signals import Episode, derived


def guarded(episode: Episode) -> Iterator[Signal]:
    """A mark (value 0) on each exchange in which a guard found something: it says nothing of the answer."""
    for exchange in episode.exchanges:
        if any(verdict.n for verdict in exchange.verdicts):
            yield derived(exchange, "guarded", 0.0)

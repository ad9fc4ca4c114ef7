"""Who comes back soon found it worth while."""

from collections.abc import Iterator

from openflywheel.base.nouns import Signal
from openflywheel.signals import Episode, derived


def returns(episode: Episode, *, after: float = 604_800.0) -> Iterator[Signal]:
    """A signal about the last exchange of a conversation, once `after` seconds (a week) have passed.

    Its value falls with the time until the same person begins or continues another conversation, from 1 (at
    once) to -1 (not within `after`): 1 - 2 seconds / after. Absence time: Dupret & Lalmas 2013 (WSDM).
    The newest 20,000 exchanges are remembered: with more of them in `after` seconds nothing is said.
    """
    last = episode.exchanges[-1]
    if not last.subject or episode.until - last.at < after or episode.past.since > last.at:
        return
    others = (e.at for e in episode.past.of(last.subject) if e.episode != last.episode)
    absence = min((at - last.at for at in others if at > last.at), default=after)
    yield derived(last, "returns", 1 - 2 * min(1.0, absence / after))

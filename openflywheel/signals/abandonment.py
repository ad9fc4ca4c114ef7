"""Who falls silent after an answer that did not settle the matter has given up."""

from collections.abc import Iterator, Sequence

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.signals import Episode, derived
from openflywheel.signals._past import Encoder


def abandonment(
    episode: Episode, *, after: float = 600.0, similarity: float = 0.5, encoder: Encoder
) -> Iterator[Signal]:
    """A signal (-0.5) about the last answer of a conversation that was silent for `after` seconds.

    Silence alone says nothing: who was helped leaves too (good abandonment: Li, Huffman & Tokuda 2009,
    SIGIR). So the end must look like a failure: the last answer is not whole, or it was a hand-over to a
    person, or its question had been asked before in the conversation (cosine of at least `similarity`).
    Where anybody said that it went well, nothing was abandoned.
    """
    last = episode.exchanges[-1]
    answered = [e for e in episode.exchanges if e.output]
    if not answered or episode.until - last.at < after or _praised(episode, answered[-1]):
        return
    if last.ended or not last.output or _asked_before(episode.exchanges, similarity, encoder):
        yield derived(answered[-1], "abandonment", -0.5)


def _praised(episode: Episode, exchange: Exchange) -> bool:
    return any(s.explicit and s.value > 0 for s in episode.about(exchange))


def _asked_before(exchanges: Sequence[Exchange], similarity: float, encoder: Encoder) -> bool:
    *earlier, last = exchanges
    texts = [e.input for e in earlier if e.task == last.task and e.input]
    if not texts or not last.input:
        return False
    vectors = encoder.encode([*texts, last.input])
    return bool((vectors[:-1] @ vectors[-1]).max() >= similarity)

"""Whose next words repeat the answer has taken it over."""

from collections.abc import Iterator, Sequence

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.signals import Episode, derived
from openflywheel.signals._words import words_of

RUN = 5  # words: shorter runs come back by chance
TAKEN = ("accepted", "copied")


def accept(episode: Episode, *, share: float = 0.5) -> Iterator[Signal]:
    """A signal about an answer that was taken over; its value is the share of it that came back, up to 1.

    The share is that of the answer's runs of 5 words which stand in the next message or in what a person
    sent instead (a demonstration); under `share` there is no signal. The outcomes "accepted" and "copied"
    say it outright: 1. Acceptance goes with perceived usefulness: Ziegler et al. 2022 (MAPS).
    """
    following = [e.input for e in episode.exchanges[1:]]
    for exchange, after in zip(episode.exchanges, [*following, ""], strict=True):
        said = episode.heard.get(exchange.id, ())
        if any(s.explicit and s.outcome in TAKEN for s in said):
            yield derived(exchange, "accept", 1.0)
        else:
            sent = [s.correction for s in said if s.kind == "demonstration"]
            back = max(_comes_back(exchange, text) for text in (after, *sent))
            if back and back >= share:
                yield derived(exchange, "accept", back)


def _comes_back(exchange: Exchange, text: str) -> float:
    answer = _runs(words_of(exchange.output))
    return len(answer & _runs(words_of(text))) / len(answer) if answer else 0.0


def _runs(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}

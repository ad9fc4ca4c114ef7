"""Who asks the same thing again in other words was not helped the first time."""

from collections.abc import Iterator
from itertools import pairwise

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.signals import Episode, derived
from openflywheel.signals._past import Encoder


def rephrase(
    episode: Episode, *, within: float = 120.0, similarity: float = 0.5, encoder: Encoder
) -> Iterator[Signal]:
    """A signal (-0.5) about an exchange that the same person asks again within `within` seconds.

    "Again" means cosine similarity of at least `similarity` but other words. That a reformulation tells of
    a failure: Hassan et al. 2013 (CIKM).
    """
    pairs = [p for p in pairwise(episode.exchanges) if _soon(*p, within)]
    if not pairs:
        return
    first = encoder.encode([a.input for a, _ in pairs])
    second = encoder.encode([b.input for _, b in pairs])
    for (before, _), alike in zip(pairs, (first * second).sum(axis=1), strict=True):
        if alike >= similarity:
            yield derived(before, "rephrase", -0.5)


def _soon(a: Exchange, b: Exchange, within: float) -> bool:
    return a.task == b.task and a.input != b.input and 0 <= b.at - a.at <= within

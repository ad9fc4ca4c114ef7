"""Where two variants answer the same question differently, at least one of them is wrong."""

from collections.abc import Iterator, Mapping

import numpy as np

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.base.settings import Task
from openflywheel.signals import Episode, derived
from openflywheel.signals._past import Encoder


def disagreement(
    episode: Episode,
    *,
    similarity: float = 0.9,
    agreement: float = 0.6,
    tasks: Mapping[str, Task],
    encoder: Encoder,
) -> Iterator[Signal]:
    """A signal (-0.5) about an answer that another variant gave differently before, to the same question.

    The same are questions with a cosine of at least `similarity`. Labels differ when they are not equal,
    texts when their cosine is under `agreement`. Query by committee: Seung, Opper & Sompolinsky 1992 (COLT).
    It is compared with at most 2,000 of the task's newest exchanges.
    """
    for exchange in episode.exchanges:
        if exchange.input and exchange.output:
            exact = exchange.task in tasks and tasks[exchange.task].kind == "label"
            others = _others(exchange, episode, similarity, encoder)
            if any(_differ(exchange.output, o, agreement, None if exact else encoder) for o in others):
                yield derived(exchange, "disagreement", -0.5, "model")


def _others(exchange: Exchange, episode: Episode, similarity: float, encoder: Encoder) -> set[str]:
    """What other variants answered to the same question before."""
    before, cosines = episode.past.likeness(exchange, encoder)
    alike = (before[int(i)] for i in np.flatnonzero(cosines >= similarity))
    return {e.output for e in alike if e.output and e.variant != exchange.variant}


def _differ(one: str, other: str, agreement: float, encoder: Encoder | None) -> bool:
    if encoder is None or one == other:
        return one != other
    first, second = encoder.encode([one, other])
    return float(first @ second) < agreement

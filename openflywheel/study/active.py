"""Which answers to ask experts about: what was rated down first, then what the model doubts."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.holdout import held_out
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.study import Evidence


class Budget(Protocol):
    """How many labels a turn may ask for (base/settings.py)."""

    @property
    def labels(self) -> int: ...


class Encoder(Protocol):
    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def active(evidence: Evidence, *, encoder: Encoder, budget: Budget, holdout: float) -> Iterator[Gap]:
    """One Gap a task, its evidence in the order in which experts should be asked."""
    pools: dict[str, list[Exchange]] = {}
    for exchange in evidence.fresh:
        if exchange.input and not held_out(exchange, holdout) and not evidence.answered(exchange.id):
            pools.setdefault(exchange.task, []).append(exchange)
    for task, pool in pools.items():
        order = sorted(pool, key=lambda e: (not evidence.disliked(e.id), e.confidence))
        asked = order[: budget.labels]
        yield Gap(
            topic=task,
            why="answers that were rated down or doubted",
            task=task,
            evidence=tuple(e.id for e in asked),
            budget=len(asked),
        )

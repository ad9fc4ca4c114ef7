"""Which exchanges to ask experts about: doubtful ones, typical of the traffic, unlike what is known already.

The doubt is the chance that the answer was wrong, after what people said about it; a rating down makes
nearly any answer doubtful, so those come first.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.holdout import held_out
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.base.settings import Task
from openflywheel.study import Evidence
from openflywheel.study._choosing import WAYS, By

MISTAKEN_RATINGS = 0.1  # share of ratings that say the opposite of what is true
KNOWN = 2_000  # of the newest texts that teach: bounds the work


class Budget(Protocol):
    """How many labels a turn may ask for (base/settings.py)."""

    @property
    def labels(self) -> int: ...


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


def active(
    evidence: Evidence,
    *,
    by: By = "process",
    encoder: Encoder,
    tasks: Mapping[str, Task],
    budget: Budget,
    holdout: float,
    seed: int,
) -> Iterator[Gap]:
    """One Gap a label task: `budget.labels` exchanges in the order in which experts should be asked.

    by: how they are chosen (`_choosing.py`): process (doubt, times density, times what is not known there),
    doubt alone, coverage (k-center), or error (what takes most doubt away elsewhere).
    """
    pools: dict[str, list[Exchange]] = {name: [] for name, task in tasks.items() if task.kind == "label"}
    for exchange in evidence.fresh:
        if exchange.task in pools and _worth_asking(exchange, evidence, holdout):
            pools[exchange.task].append(exchange)
    for task, pool in ((name, pool) for name, pool in pools.items() if pool):
        vectors = encoder.encode([e.input for e in pool])
        known = encoder.encode(evidence.taught(task)[-KNOWN:])
        said = ((e.confidence, evidence.rating(e.id), evidence.hint(e.id)) for e in pool)
        doubts = np.array([doubt(*each) for each in said])
        chosen = WAYS[by](vectors, doubts, known, budget.labels, np.random.default_rng(seed))
        yield Gap(
            topic=task,
            why="answers that were rated down, or doubted where little is known",
            task=task,
            evidence=tuple(pool[i].id for i in chosen),
            budget=len(chosen),
        )


def _worth_asking(exchange: Exchange, evidence: Evidence, holdout: float) -> bool:
    return bool(exchange.input) and not held_out(exchange, holdout) and not evidence.answered(exchange.id)


def doubt(confidence: float, rating: float, hint: float = 0.0) -> float:
    """Chance that an answer was wrong, by Bayes' rule.

    From the model's confidence and a person's rating; without one, from a hint of derived signals, which is
    the likelier mistaken the weaker it is: one of strength 0 says the opposite half of the time.
    """
    if not (said := rating or hint):
        return 1 - confidence
    strength = 1.0 if rating else abs(hint)
    mistaken = MISTAKEN_RATINGS * strength + 0.5 * (1 - strength)
    wrong_says = mistaken if said > 0 else 1 - mistaken
    wrong, right = (1 - confidence) * wrong_says, confidence * (1 - wrong_says)
    return wrong / (wrong + right) if wrong + right else 0.0

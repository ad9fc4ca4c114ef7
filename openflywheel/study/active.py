"""Which exchanges to ask experts about: doubtful ones, typical of the traffic, unlike what is known already.

The doubt is the chance that the answer was wrong, after what people said about it; a rating down makes
nearly any answer doubtful, so those come first. Doubt alone asks for near-copies and for oddities: hence it
is multiplied by the root of the local density and by the variance that a Gaussian process has left there
after the training rows and the questions chosen before (Seo et al. 2000, IJCNN; Settles & Craven 2008,
EMNLP, for the density).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from openflywheel.base.holdout import held_out
from openflywheel.base.instruments.head import Matrix, similarity
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.base.settings import Task
from openflywheel.study import Evidence

MISTAKEN_RATINGS = 0.1  # share of ratings that say the opposite of what is true
GAMMA, NEAR = 2.0, 8.0  # kernels of the process (as the head's) and of the density
NOISE = 0.1
SHORTLIST, SAMPLE, KNOWN = 300, 600, 2_000  # bounds the work: .1 CPU-s for a turn of 1,000 conversations


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
    encoder: Encoder,
    tasks: Mapping[str, Task],
    budget: Budget,
    holdout: float,
    seed: int,
) -> Iterator[Gap]:
    """One Gap a label task: `budget.labels` exchanges in the order in which experts should be asked."""
    pools: dict[str, list[Exchange]] = {name: [] for name, task in tasks.items() if task.kind == "label"}
    for exchange in evidence.fresh:
        if exchange.task in pools and _worth_asking(exchange, evidence, holdout):
            pools[exchange.task].append(exchange)
    for task, pool in ((name, pool) for name, pool in pools.items() if pool):
        vectors = encoder.encode([e.input for e in pool])
        known = encoder.encode(evidence.taught(task)[-KNOWN:])
        said = ((e.confidence, evidence.rating(e.id), evidence.hint(e.id)) for e in pool)
        doubts = np.array([doubt(*each) for each in said])
        chosen = choose(vectors, doubts, known, budget.labels, np.random.default_rng(seed))
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


def choose(
    vectors: Matrix, doubts: NDArray[np.float64], known: Matrix, k: int, random: np.random.Generator
) -> list[int]:
    """Places of the k best questions among n vectors, best first."""
    sample = vectors[random.permutation(len(vectors))[:SAMPLE]]
    worth = doubts * np.sqrt(similarity(vectors, sample, NEAR).mean(axis=1))
    top = np.argsort(-worth, kind="stable")[:SHORTLIST]
    left = _covariance(vectors[top], known)
    return [int(top[i]) for i in _greedy(left, worth[top], k)]


def _covariance(vectors: Matrix, known: Matrix) -> NDArray[np.float64]:
    """What a Gaussian process does not know yet about the vectors, given labels at `known`."""
    prior = similarity(vectors, vectors, GAMMA).astype(np.float64)
    if not len(known):
        return prior
    among = similarity(known, known, GAMMA).astype(np.float64)
    among[np.diag_indices_from(among)] += NOISE
    across = similarity(known, vectors, GAMMA).astype(np.float64)
    explained: NDArray[np.float64] = across.T @ cho_solve(cho_factor(among), across)
    return prior - explained


def _greedy(covariance: NDArray[np.float64], worth: NDArray[np.float64], k: int) -> list[int]:
    """Again and again the largest worth times variance, then what is left of the variance once known."""
    free, left, chosen = np.ones(len(worth), bool), covariance.copy(), []
    for _ in range(min(k, len(worth))):
        best = int(np.argmax(np.where(free, worth * np.maximum(np.diag(left), 0), -1)))
        free[best] = False
        chosen.append(best)
        column = left[:, best] / np.sqrt(max(left[best, best], 0) + NOISE)
        left = left - np.outer(column, column)
    return chosen

"""Ways of choosing what experts are asked, from vectors of questions and the doubt about their answers.

Each takes n unit vectors, the doubts (chances of a wrong answer, shape (n,)), the vectors that are known
already and k, and gives the places of the k best questions, the best first. They are compared by
`python -m benchmarks.customize --only active`.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from openflywheel.base.instruments.vectors import Matrix, similarity

Doubts = NDArray[np.float64]
By = Literal["process", "doubt", "coverage", "error"]
Way = Callable[[Matrix, Doubts, Matrix, int, np.random.Generator], list[int]]

GAMMA, NEAR = 2.0, 8.0  # kernels of the process (as the head's) and of the density
NOISE = 0.1
SHORTLIST, SAMPLE = 300, 600  # bounds the work: .1 CPU-s for a turn of 1,000 conversations


def by_process(
    vectors: Matrix, doubts: Doubts, known: Matrix, k: int, random: np.random.Generator
) -> list[int]:
    """Doubt, times the root of the local density, times the variance that a Gaussian process has left.

    Doubt alone asks for near-copies and for oddities (Seo et al. 2000, IJCNN; Settles & Craven 2008, EMNLP,
    for the density).
    """
    top, worth = _shortlist(vectors, doubts, random)
    left = _covariance(vectors[top], known)
    return [int(top[i]) for i in _greedy(left, lambda now: worth * np.maximum(np.diag(now), 0), k)]


def by_doubt(
    vectors: Matrix, doubts: Doubts, known: Matrix, k: int, random: np.random.Generator
) -> list[int]:
    """What was rated down first, then the least confident (Lewis & Gale 1994, SIGIR)."""
    del vectors, known, random
    return [int(i) for i in np.argsort(-doubts, kind="stable")[:k]]


def by_coverage(
    vectors: Matrix, doubts: Doubts, known: Matrix, k: int, random: np.random.Generator
) -> list[int]:
    """The farthest from all that is known or chosen: greedy k-center (Sener & Savarese 2018, ICLR)."""
    del random
    near = (vectors @ known.T).max(axis=1, initial=-1.0).astype(np.float64)
    chosen: list[int] = []
    for _ in range(min(k, len(vectors))):
        far = np.flatnonzero(
            near == near.min()
        )  # without anything known: all, and the most doubtful is taken
        chosen.append(int(far[np.argmax(doubts[far])]))
        near = np.maximum(near, vectors @ vectors[chosen[-1]])
        near[chosen] = np.inf
    return chosen


def by_error(
    vectors: Matrix, doubts: Doubts, known: Matrix, k: int, random: np.random.Generator
) -> list[int]:
    """What takes most doubt away elsewhere: expected error reduction (Roy & McCallum 2001, ICML).

    Not by teaching a model for every question and answer, but by the variance that each would take from the
    others in a Gaussian process (Cohn, Ghahramani & Jordan 1996), weighed by their doubts.
    """
    top, _ = _shortlist(vectors, doubts, random)
    weight, left = doubts[top], _covariance(vectors[top], known)
    return [
        int(top[i])
        for i in _greedy(left, lambda now: (now**2 @ weight) / (np.maximum(np.diag(now), 0) + NOISE), k)
    ]


WAYS: Mapping[By, Way] = {
    "process": by_process,
    "doubt": by_doubt,
    "coverage": by_coverage,
    "error": by_error,
}


def _shortlist(
    vectors: Matrix, doubts: Doubts, random: np.random.Generator
) -> tuple[NDArray[np.intp], Doubts]:
    """The `SHORTLIST` most doubtful of those that are typical of the traffic, and their worth."""
    sample = vectors[random.permutation(len(vectors))[:SAMPLE]]
    worth = doubts * np.sqrt(similarity(vectors, sample, NEAR).mean(axis=1))
    top = np.argsort(-worth, kind="stable")[:SHORTLIST]
    return top, worth[top]


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


def _greedy(
    covariance: NDArray[np.float64], gain: Callable[[NDArray[np.float64]], NDArray[np.float64]], k: int
) -> list[int]:
    """Again and again the largest gain, then what is left of the covariance once that one is known."""
    free, left, chosen = np.ones(len(covariance), bool), covariance.copy(), []
    for _ in range(min(k, len(covariance))):
        best = int(np.argmax(np.where(free, gain(left), -1)))
        free[best] = False
        chosen.append(best)
        column = left[:, best] / np.sqrt(max(left[best, best], 0) + NOISE)
        left = left - np.outer(column, column)
    return chosen

"""Which way of joining the tuned encoder and BM25 finds best, on questions that taught nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.forms.retriever import Matrix, Weights, described
from openflywheel.base.instruments.bm25 import Bm25
from openflywheel.base.instruments.cumulative_gain import ndcg
from openflywheel.customize._listwise import Listed, fitted, held_out
from openflywheel.customize._retriever.pairs import Question

RERANKED = "reranked"
FIXED: Mapping[str, tuple[float, ...]] = {
    "tuned": (1, 0, 0, 0, 0),
    "bm25": (0, 1, 0, 0, 0),
    "fused": (0, 0, 1, 1, 0),
}


class Way(Struct, frozen=True):
    """A way of ordering items, its weights of the retriever's features, and its mean nDCG@10."""

    name: str
    weights: Weights
    figure: float


def gain(questions: Sequence[Question], vectors: Matrix, items: Matrix) -> float:
    """Mean nDCG@10 of the items nearest to the questions' vectors."""
    return float(np.mean([_gain(items @ v, q) for q, v in zip(questions, vectors, strict=True)]))


def ways(questions: Sequence[Question], vectors: Matrix, items: Matrix, words: Bm25) -> list[Way]:
    """Every way with its figure, by vectors that are turned already; the reranker's is out of fold."""
    lists, places = [], []
    for question, vector in zip(questions, vectors, strict=True):
        found, features = described(items @ vector, *words.search(question.text))
        right = np.array([question.right.get(int(place), 0.0) for place in found], np.float32)
        lists.append(Listed(features, right))
        places.append(found)
    scored = {name: [one.features @ np.array(w) for one in lists] for name, w in FIXED.items()}
    scored[RERANKED] = held_out(lists)
    weights = {**{name: np.array(w, float) for name, w in FIXED.items()}, RERANKED: fitted(lists)}
    return [Way(name, weights[name], _mean(questions, places, scores)) for name, scores in scored.items()]


def _mean(
    questions: Sequence[Question],
    places: Sequence[NDArray[np.intp]],
    scores: Sequence[NDArray[np.float64]],
) -> float:
    each = zip(questions, places, scores, strict=True)
    return float(np.mean([_gain(score, question, found) for question, found, score in each]))


def _gain(scores: Matrix | Weights, question: Question, places: NDArray[np.intp] | None = None) -> float:
    order = np.argsort(-scores, kind="stable")[:10]
    said = order if places is None else places[order]
    return ndcg([str(place) for place in said], {str(place) for place in question.right})

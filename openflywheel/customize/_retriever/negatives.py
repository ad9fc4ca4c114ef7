"""Hard negatives: items that look right and are wrong."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.forms.retriever import Matrix
from openflywheel.base.instruments.bm25 import Bm25
from openflywheel.customize._retriever.pairs import Question

Places = NDArray[np.intp]

BY_COSINE, BY_WORDS = 8, 4
COPY = 0.9  # cosine from which on an item says the same as the right one, and so isn't wrong


def mined(asked: Sequence[Question], vectors: Matrix, items: Matrix, words: Bm25) -> list[Places]:
    """For each question the best wrong items by the untuned encoder and by BM25 (Karpukhin et al. 2020,
    arXiv:2004.04906), among those that were right for another question.

    Copies of a right item are not among them, nor items that nobody chose yet: they may well be right, and to
    push them away costs what it wins (hetPQA, validation: .385 instead of .399, .353 untuned).
    """
    known = np.unique(np.concatenate([list(question.right) for question in asked]))
    return [
        _mined(question, vector, items, words, known) for question, vector in zip(asked, vectors, strict=True)
    ]


def _mined(question: Question, vector: Matrix, items: Matrix, words: Bm25, known: Places) -> Places:
    right = np.array(list(question.right))
    wrong = known[~np.isin(known, right)]
    wrong = wrong[(items[wrong] @ items[right].T < COPY).all(axis=1)]
    by_words = words.search(question.text)[0][wrong]
    near = wrong[_first(items[wrong] @ vector, BY_COSINE)]
    same = _first(by_words, BY_WORDS)
    return np.union1d(near, wrong[same[by_words[same] > 0]])


def _first(scores: Matrix, k: int) -> Places:
    return np.argsort(-scores, kind="stable")[:k]

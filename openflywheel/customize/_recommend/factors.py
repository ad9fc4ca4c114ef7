"""Factors of people and items from what was chosen, by the library implicit."""

from collections.abc import Sequence

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from openflywheel.base.forms.recommender import CONFIDENCE, PENALTY, Matrix, Tastes
from openflywheel.base.instruments.threads import one_thread
from openflywheel.customize._recommend.choices import Choice, Choices

ROUNDS = 15
BRIDGE = 1.0  # penalty of the ridge regression from content to factors


def tastes(known: Choices, chosen: Sequence[Choice], content: Matrix, size: int, seed: int) -> Tastes:
    """Alternating least squares on implicit feedback (Hu, Koren & Volinsky 2008, ICDM) with `size` factors.

    Items that nobody chose yet get the factors that their content foretells, and the mean popularity: they
    are unknown, not unpopular. The weights are popularity's alone, until they are learned.
    """
    people = {person: n for n, person in enumerate(sorted({c.person for c in chosen if c.person}))}
    own = [choice for choice in chosen if choice.person]
    rows, columns = [people[choice.person] for choice in own], [choice.item for choice in own]
    weights = np.array([choice.weight for choice in own], np.float32)
    matrix = csr_matrix((CONFIDENCE * weights, (rows, columns)), shape=(len(people), len(known.ids)))
    persons, items = _factors(matrix, size, seed)
    counts = np.bincount([c.item for c in chosen], [c.weight for c in chosen], minlength=len(known.ids))
    popularity = np.log1p(counts) / max(float(np.log1p(counts.max())), 1e-9)
    popularity[counts == 0] = popularity[counts > 0].mean()
    warm = np.asarray(matrix.getnnz(axis=0)) > 0
    return Tastes(
        ids=known.ids,
        people=people,
        factors=_bridged(items, content, warm),
        persons=persons,
        content=content,
        popularity=popularity.astype(np.float32),
        weights=np.array([0.0, 0.0, 1.0]),
    )


def _factors(matrix: csr_matrix, size: int, seed: int) -> tuple[Matrix, Matrix]:
    """Of people and of items; zeros where nobody is known. One thread, so that a seed gives the same."""
    if not matrix.shape[0]:
        return np.zeros((0, size), np.float32), np.zeros((matrix.shape[1], size), np.float32)
    with one_thread():  # implicit warns of BLAS's own
        als = AlternatingLeastSquares(
            factors=size, regularization=PENALTY, iterations=ROUNDS, num_threads=1, random_state=seed
        )
        als.fit(matrix, show_progress=False)
    return np.array(als.user_factors), np.array(als.item_factors)


def _bridged(factors: Matrix, content: Matrix, warm: NDArray[np.bool_]) -> Matrix:
    """The factors, those of cold items by ridge regression from the content of warm ones."""
    seen = content[warm].astype(np.float64)
    gram = seen.T @ seen + BRIDGE * np.eye(content.shape[1])
    bridge = np.linalg.solve(gram, seen.T @ factors[warm])
    out: Matrix = np.where(warm[:, None], factors, content @ bridge).astype(np.float32)
    return out

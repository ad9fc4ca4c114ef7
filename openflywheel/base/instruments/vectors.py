"""What classifiers on vectors have in common: kernels, chances, and classes in order."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


def similarity(a: Matrix, b: Matrix, gamma: float) -> Matrix:
    """Gaussian kernel of unit vectors, exp(gamma * (cosine - 1)), shape (len(a), len(b))."""
    out: Matrix = np.exp(np.float32(gamma) * (a @ b.T - np.float32(1)))
    return out


def softmax(scores: Matrix) -> Matrix:
    """Rows of exp(scores) that sum to 1."""
    exp = np.exp(scores - scores.max(axis=1, keepdims=True))
    out: Matrix = exp / exp.sum(axis=1, keepdims=True)
    return out


def log_prior(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of how often each class is asked, given the weight of its rows; each counts one row more."""
    share: NDArray[np.float64] = np.log((weight + 1.0) / (weight.sum() + len(weight)))
    return share


def classes(labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Distinct labels in alphabetical order, and each label's place among them."""
    names, places = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
    return tuple(str(n) for n in names), places.astype(np.intp)

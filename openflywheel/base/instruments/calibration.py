"""Confidence that means what it says: temperature scaling and its error."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from openflywheel.base.instruments.head import Matrix, softmax

Places = NDArray[np.intp]
BOUNDS = (-3.0, 7.0)  # of log(sharpness): scores of ridge heads lie within 1, so sharpness is often 5 to 30


def fit_sharpness(scores: Matrix, right: Places) -> tuple[float, float]:
    """The factor on the scores (the inverse temperature) that fits best, and its log loss per row in nats.

    `scores` of shape (n, classes) must be out-of-fold: of rows that the scorer did not learn from.
    Source: temperature scaling, Guo et al. 2017, arXiv 1706.04599, towards targets of (n + 1) / (n + 2)
    instead of 1 (Platt 1999): a handful of rows that are all right is no proof of certainty.
    """
    n, k = scores.shape
    if n == 0 or k < 2:
        return 1.0, float("inf")
    rows, wide = np.arange(n), scores.astype(np.float64)
    others = 1 / (n + 2) / (k - 1)  # of the target, for each wrong class

    def loss(log_sharpness: float) -> float:
        scaled = wide * np.exp(log_sharpness)
        target = (1 - k * others) * scaled[rows, right] + others * scaled.sum(axis=1)
        return float(np.mean(logsumexp(scaled, axis=1) - target))

    found = minimize_scalar(loss, bounds=BOUNDS, method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x)), float(found.fun)


def calibration_error(scores: Matrix, right: Places, sharpness: float, bins: int = 15) -> float:
    """Expected calibration error in [0, 1], bins of equal mass (Nixon et al. 2019, arXiv 1904.01685)."""
    if not len(right):
        return 0.0
    probability = softmax(scores * np.float32(sharpness))
    sure, hit = probability.max(axis=1), probability.argmax(axis=1) == right
    parts = np.array_split(np.argsort(sure), min(bins, len(right)))
    return float(sum(len(p) * abs(sure[p].mean() - hit[p].mean()) for p in parts) / len(right))

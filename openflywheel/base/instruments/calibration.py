"""Confidence that means what it says: temperature scaling and its error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logsumexp

from openflywheel.base.instruments.vectors import Matrix, softmax

Places = NDArray[np.intp]
BOUNDS = (-3.0, 7.0)  # of log(sharpness): scores of ridge heads lie within 1, so sharpness is often 5 to 30
AT_ONCE = 2**22  # numbers in float64 at a time: 32 MB, and two copies


def fit_sharpness(
    scores: Matrix,
    right: Places,
    log_prior: NDArray[np.float64] | None = None,
    weight: NDArray[Any] | None = None,
) -> tuple[float, float]:
    """The factor on the scores (the inverse temperature) that fits best, and its log loss per row in nats.

    `scores` of shape (n, classes) must be out-of-fold: of rows that the scorer did not learn from.
    `log_prior`, shape (classes,), is added to the scaled scores. Rows count by `weight`, shape (n,).
    Source: temperature scaling, Guo et al. 2017, arXiv 1706.04599, towards targets of (n + 1) / (n + 2)
    instead of 1 (Platt 1999): a handful of rows that are all right is no proof of certainty. With weights n
    is the number of equal rows that would say as much (Kish 1965).
    """
    n, k = scores.shape
    if n == 0 or k < 2:
        return 1.0, float("inf")
    share = _shares(n, weight)
    shift = np.zeros(k) if log_prior is None else log_prior
    others = 1 / (1 / float(share @ share) + 2) / (k - 1)  # of the target, for each wrong class
    parts = np.array_split(np.arange(n), -(-n * k // AT_ONCE))

    def loss(log_sharpness: float) -> float:
        return sum(lost(part, np.exp(log_sharpness)) for part in parts)

    def lost(part: Places, sharpness: float) -> float:
        scaled = scores[part].astype(np.float64) * sharpness + shift
        target = (1 - k * others) * scaled[np.arange(len(part)), right[part]] + others * scaled.sum(axis=1)
        return float(share[part] @ (logsumexp(scaled, axis=1) - target))

    found = minimize_scalar(loss, bounds=BOUNDS, method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x)), float(found.fun)


def _shares(n: int, weight: NDArray[Any] | None) -> NDArray[np.float64]:
    """Of the rows, all together 1."""
    wide = np.ones(n) if weight is None else np.asarray(weight, np.float64)
    share: NDArray[np.float64] = wide / wide.sum()
    return share


def fit_sigmoids(scores: Matrix, hit: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and shift of each class, both of shape (classes,): sigmoid(slope * score + shift) is its chance.

    `scores` and `hit` of shape (n, classes), the scores out-of-fold. Source: Platt 1999, with his targets.
    Slopes are held to the one of all classes together as if by one row of each kind: a class of few rows has
    no slope of its own.
    """
    pooled = _platt(scores.reshape(-1, 1), hit.reshape(-1, 1), None)
    slope, shift = _platt(scores, hit, float(pooled[0][0]))
    return slope, shift


def _platt(
    scores: Matrix, hit: NDArray[np.bool_], near: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    k, wide = scores.shape[1], scores.astype(np.float64)
    hits = hit.sum(axis=0)
    target = np.where(hit, (hits + 1) / (hits + 2), 1 / (len(hit) - hits + 2))
    hold = 0.0 if near is None else float(wide.var())

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, shift = flat[:k], flat[k:]
        logit, off = wide * slope + shift, slope - (near or 0.0)
        error = expit(logit) - target
        value = float((np.logaddexp(0, logit) - target * logit).sum() + hold * (off**2).sum() / 2)
        return value, np.concatenate([(error * wide).sum(axis=0) + hold * off, error.sum(axis=0)])

    begin = np.concatenate([np.full(k, 1.0 if near is None else near), np.zeros(k)])
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    return found.x[:k], found.x[k:]


def calibration_error(
    scores: Matrix, right: Places, sharpness: float, bins: int = 15, weight: NDArray[Any] | None = None
) -> float:
    """Expected calibration error in [0, 1], bins of equal mass (Nixon et al. 2019, arXiv 1904.01685).

    A row counts by its `weight`, shape (n,); bins have as many rows, whatever they weigh.
    """
    if not len(right):
        return 0.0
    probability = softmax(scores * np.float32(sharpness))
    sure, hit = probability.max(axis=1), probability.argmax(axis=1) == right
    parts, share = np.array_split(np.argsort(sure), min(bins, len(right))), _shares(len(right), weight)
    return float(sum(abs(share[part] @ (sure[part] - hit[part])) for part in parts))

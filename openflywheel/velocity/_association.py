"""Do two figures go together, when the observations come in clusters (several of one person)?"""

from collections.abc import Sequence
from math import sqrt, tanh

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
EDGE = 1 - 1e-9  # a perfect correlation is infinitely far on Fisher's scale


def correlation(
    x: ArrayLike, y: ArrayLike, clusters: Sequence[str], level: float
) -> tuple[float, float, float]:
    """Pearson's correlation of n pairs and its interval; where it cannot be told, (0, -1, 1).

    The variance is the jackknife's over clusters (Efron & Stein 1981, Annals of Statistics 9:586), which errs
    on the safe side, on Fisher's scale z = atanh(r), with Student's t for as many clusters.
    """
    names, place = np.unique(clusters, return_inverse=True)
    moments = _moments(np.asarray(x, float), np.asarray(y, float))
    parts = np.stack([np.bincount(place, m, len(names)) for m in moments])
    whole = parts.sum(axis=1, keepdims=True)
    z, others = _fisher(whole)[0], _fisher(whole - parts)
    if len(names) < 2 or not np.isfinite([z, *others]).all():
        return 0.0, -1.0, 1.0
    error = sqrt((1 - 1 / len(names)) * float(((others - z) ** 2).sum()))
    half = float(stdtrit(len(names) - 1, (1 + level) / 2)) * error
    return tanh(z), tanh(z - half), tanh(z + half)


def _moments(x: Floats, y: Floats) -> tuple[Floats, ...]:
    x, y = x - x.mean(), y - y.mean()  # centred, so that the sums below lose no digits
    return np.ones_like(x), x, y, x * x, y * y, x * y


def _fisher(sums: Floats) -> Floats:
    """atanh of the correlation from sums of 1, x, y, x², y², xy in columns; NaN where one is constant."""
    n, x, y, xx, yy, xy = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.maximum(xx - x * x / n, 0) * np.maximum(yy - y * y / n, 0)
        r = (xy - x * y / n) / np.sqrt(np.where(spread > 1e-18 * np.maximum(xx * yy, 1e-300), spread, np.nan))
        return np.asarray(np.arctanh(np.clip(r, -EDGE, EDGE)))

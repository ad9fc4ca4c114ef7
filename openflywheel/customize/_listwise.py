"""A head that orders items: a weight for each of their features, by the softmax over each list of items.

Conditional logit (McFadden 1974), in ranking known as ListNet's top-one loss (Cao et al. 2007, ICML).
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import minimize

Weights = NDArray[np.float64]

PENALTY = 1e-3  # on the squares of the weights, beside the mean loss of a list
FOLDS = 5


class Listed(Struct, frozen=True):
    """The items that one question may get: their features, shape (n, features), and the weight with which
    each was right, shape (n,).
    """

    features: NDArray[np.float32]
    right: NDArray[np.float32]


def fitted(lists: Sequence[Listed]) -> Weights:
    """The weights that make what was right likeliest; lists without anything right say nothing."""
    able = [one for one in lists if one.right.sum() > 0]
    width = lists[0].features.shape[1]

    def loss(weights: Weights) -> tuple[float, Weights]:
        found = [_loss(one, weights) for one in able]
        value = sum(each for each, _ in found) / len(able) + PENALTY * float(weights @ weights)
        slope = np.sum([each for _, each in found], axis=0) / len(able) + 2 * PENALTY * weights
        return value, slope

    if not able:
        return np.zeros(width)
    found: Weights = minimize(loss, np.zeros(width), jac=True, method="L-BFGS-B").x
    return found


def held_out(lists: Sequence[Listed]) -> list[NDArray[np.float64]]:
    """The scores of every list's items by a head that was fitted to the other folds."""
    folds = np.arange(len(lists)) % FOLDS
    heads = [
        fitted([one for one, place in zip(lists, folds, strict=True) if place != fold])
        for fold in range(FOLDS)
    ]
    return [one.features @ heads[fold] for one, fold in zip(lists, folds, strict=True)]


def _loss(one: Listed, weights: Weights) -> tuple[float, Weights]:
    scores = one.features @ weights
    likely = np.exp(scores - scores.max())
    likely /= likely.sum()
    target = one.right / one.right.sum()
    return -float(target @ np.log(likely + 1e-12)), one.features.T @ (likely - target)

"""Four ways to put a head on frozen sentence vectors, each with held-out scores to judge it by.

All of them give every class the same weight: what experts are asked about is no picture of how often people
ask it. Within a class rows count by their own weights, which curation gave them (1 for an ordinary row).
A row's held-out scores are those of a head that saw no row of the same person (`_people.apart`): people
repeat themselves, and will not be those who ask tomorrow. Without `people` each row is on its own.
"""

from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.special import logsumexp

from openflywheel.base.instruments.sums import Sums
from openflywheel.base.instruments.vectors import Matrix, similarity
from openflywheel.customize._people import Places, parts_of

GAMMA, RIDGE = 2.0, 0.5  # Gaussian kernel: flat between 1..4 and .3..1 on two intent sets at n = 1,000
PENALTY, FOLDS, SUM_FOLDS = 1e-5, 3, 10
MOST_KERNEL_ROWS = 3_000  # solving is cubic: 3,000 rows take about 2 CPU-s
LEAST_LOGISTIC_ROWS = 8  # a class; with fewer the other two were better on both intent sets, and cheaper


class Fitted(Struct, frozen=True):
    """What a way of fitting found; `held_out`: each row's scores by a head that never saw its person."""

    method: str
    weights: Matrix
    bias: Matrix
    held_out: Matrix
    support: Matrix | None = None
    gamma: float = 0.0
    sums: Sums | None = None


Fit = Callable[[Matrix, Places, int, Matrix, Places | None], Fitted | None]


def centroid(x: Matrix, y: Places, k: int, weight: Matrix, people: Places | None = None) -> Fitted:
    """Cosine to the mean of each class; held-out scores leave a person's rows out of all means."""
    weighed: Matrix = (weight[:, None] * x).astype(np.float32)
    sums, rows = one_hot(y, k).T @ weighed, np.bincount(y, minlength=k)
    own = sums[y] - weighed
    scores = x @ _unit(sums).T
    scores[np.arange(len(y)), y] = np.einsum("nd,nd->n", x, _unit(own))
    for mine in _several(people):
        known, place = np.unique(y[mine], return_inverse=True)
        theirs = sums[known] - one_hot(place, len(known)).T @ weighed[mine]
        theirs[rows[known] == np.bincount(place)] = 0  # not what rounding leaves of a class that is gone
        scores[np.ix_(mine, known)] = x[mine] @ _unit(theirs).T
    return Fitted("centroid", _unit(sums).T.copy(), np.zeros(k, np.float32), scores)


def kernel_ridge(x: Matrix, y: Places, k: int, weight: Matrix, people: Places | None = None) -> Fitted | None:
    """Ridge regression on indicators with a Gaussian kernel; exact scores without a row, or a person.

    Weighted least squares is solved as ordinary one after scaling rows by the roots of their weights. With C
    the inverse of the kernel matrix and a = C y, the left-out residuals of some rows S are (C_SS)^-1 a_S
    (the block form of Rifkin & Lippert 2007, MIT CSAIL TR-2007-025).
    """
    if len(y) > MOST_KERNEL_ROWS:
        return None
    root = np.sqrt(balance(y, k, weight))[:, None]
    target = one_hot(y, k)
    kernel = root * similarity(x, x, GAMMA) * root.T
    kernel[np.diag_indices_from(kernel)] += RIDGE
    inverse = cho_solve(cho_factor(kernel), np.eye(len(y), dtype=np.float32))
    alpha = inverse @ (root * target)
    away = alpha / np.diag(inverse)[:, None]
    for mine in _several(people):
        away[mine] = np.linalg.solve(inverse[np.ix_(mine, mine)].astype(np.float64), alpha[mine])
    held_out = target - away / root
    weights = (root * alpha).astype(np.float32)
    return Fitted(
        "kernel_ridge", weights, np.zeros(k, np.float32), held_out.astype(np.float32), support=x, gamma=GAMMA
    )


def logistic(x: Matrix, y: Places, k: int, weight: Matrix, people: Places | None = None) -> Fitted | None:
    """Softmax regression with a small L2 penalty, by L-BFGS; held-out scores from 3 folds of people."""
    if len(y) < LEAST_LOGISTIC_ROWS * k:
        return None
    held_out, every = np.zeros((len(y), k), np.float32), np.arange(len(y))
    for part in parts_of(every if people is None else people, FOLDS):
        rest = np.setdiff1d(every, part)
        weights, bias = _softmax_regression(x[rest], y[rest], k, weight[rest])
        held_out[part] = x[part] @ weights + bias
    weights, bias = _softmax_regression(x, y, k, weight)
    return Fitted("logistic", weights, bias, held_out)


def discriminant(x: Matrix, y: Places, k: int, weight: Matrix, people: Places | None = None) -> Fitted:
    """Linear discriminant analysis from sums, which stay with it; held-out scores from 10 folds of people.

    A fold is left out by taking its rows out of the sums. A class that only the fold knows scores lowest.
    """
    target = one_hot(y, k)
    sums = Sums.of(x, target, weight)
    held_out = np.zeros((len(y), k), np.float32)
    for part in parts_of(np.arange(len(y)) if people is None else people, SUM_FOLDS):
        rest = sums.minus(x[part], target[part], weight[part])
        weights, bias = rest.discriminant()
        scores = x[part] @ weights + bias
        held_out[part] = np.where(rest.weight > 0, scores, scores.min(axis=1, keepdims=True))
    weights, bias = sums.discriminant()
    return Fitted("discriminant", weights.astype(np.float32), bias.astype(np.float32), held_out, sums=sums)


WAYS: tuple[Fit, ...] = (kernel_ridge, logistic, centroid)
"""In order of preference. The discriminant is not among them: logistic regression is better where there are
rows for it (CLINC150, 15,000 rows: .960 against .930), the kernel ridge where there are few."""


def _softmax_regression(x: Matrix, y: Places, k: int, weight: Matrix) -> tuple[Matrix, Matrix]:
    """Weights (width, k) and bias (k,) that minimise the weighted mean log loss + PENALTY/2 * |weights|^2."""
    n, width = x.shape
    share = (balance(y, k, weight) / n)[:, None]
    target, transposed = one_hot(y, k), np.ascontiguousarray(x.T)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        both = flat.astype(np.float32).reshape(width + 1, k)
        scores = x @ both[:-1] + both[-1]
        log_p = scores - logsumexp(scores, axis=1, keepdims=True)
        error = share * (np.exp(log_p) - target)
        slope = np.vstack([transposed @ error + PENALTY * both[:-1], error.sum(axis=0)])
        value = -float((share * target * log_p).sum()) + PENALTY / 2 * float((both[:-1] ** 2).sum())
        return value, slope.ravel().astype(np.float64)

    found = minimize(
        loss, np.zeros((width + 1) * k), jac=True, method="L-BFGS-B", options={"maxiter": 300, "ftol": 1e-7}
    )
    both = found.x.astype(np.float32).reshape(width + 1, k)
    return both[:-1].copy(), both[-1].copy()


def balance(y: Places, k: int, weight: Matrix) -> Matrix:
    """The weights, scaled to mean 1 and to the same total for every class."""
    total = np.bincount(y, weight, minlength=k)
    weights: Matrix = (len(y) * weight / (np.count_nonzero(total) * total[y])).astype(np.float32)
    return weights


def one_hot(y: Places, k: int) -> Matrix:
    """Indicator rows, shape (len(y), k)."""
    out = np.zeros((len(y), k), np.float32)
    out[np.arange(len(y)), y] = 1
    return out


def _several(people: Places | None) -> Iterator[Places]:
    """The rows of each person who has more than one."""
    if people is None:
        return
    rows, count = np.argsort(people, kind="stable"), np.bincount(people)
    ends = count.cumsum()
    for person in np.flatnonzero(count > 1):
        yield rows[ends[person] - count[person] : ends[person]]


def _unit(rows: Matrix) -> Matrix:
    """Rows of length 1; a row of zeros stays."""
    out: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return out

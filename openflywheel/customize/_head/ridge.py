"""Ridge regression of several targets at once, with what it says of each fold without having seen it.

Both ways leave a fold out in closed form, so ten folds cost little more than one fit.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from openflywheel.base.instruments.sums import Sums
from openflywheel.base.instruments.vectors import Matrix, similarity
from openflywheel.customize._fitting import GAMMA, MOST_KERNEL_ROWS
from openflywheel.customize._people import Places, apart, parts_of

Wide = NDArray[np.float64]

FOLDS = 10
RIDGES = (0.1, 0.5, 2.0)


class Fit(Struct, frozen=True):
    """Column f of `weights`, shape (features, targets, folds + 1), and of `bias` knows nothing of fold f, and
    column 0 knows all. `held_out`, shape (n, targets), is what each row's own fold column says of it.
    """

    method: str
    weights: Wide
    bias: Wide
    held_out: Wide
    support: Matrix | None = None
    gamma: float = 0.0


def best(x: Matrix, y: Wide, w: Matrix, folds: Places) -> Fit:
    """The way and the penalty whose held-out squared error is the lowest.

    x: (n, width), y: (n, targets), w: (n,) weights, folds: (n,) of 1 to the number of folds.
    """
    ways: list[Callable[[float], Fit]] = [lambda ridge: linear(x, y, w, folds, ridge)]
    if len(x) <= MOST_KERNEL_ROWS:
        ways.append(lambda ridge: kernel(x, y, w, folds, ridge))
    tried = (way(ridge) for way in ways for ridge in RIDGES)
    return min(tried, key=lambda fit: float((w[:, None] * (fit.held_out - y) ** 2).sum()))


def linear(x: Matrix, y: Wide, w: Matrix, folds: Places, ridge: float) -> Fit:
    """On the vectors themselves: each fold's sums are taken out of the sums of all."""
    everything = Sums.of(x, y, w)
    parts = list(_parts(folds))
    left = [everything, *(everything.minus(x[part], y[part], w[part]) for part in parts)]
    solved = [sums.solved(ridge) for sums in left]
    held_out = np.empty_like(y)
    for part, (weights, bias) in zip(parts, solved[1:], strict=True):
        held_out[part] = x[part] @ weights + bias
    return Fit("ridge", *_stacked(solved), held_out)


def kernel(x: Matrix, y: Wide, w: Matrix, folds: Places, ridge: float) -> Fit:
    """On the likeness to every row, and a constant 1, which gives a bias.

    With C the inverse of the kernel matrix and a = C y, leaving out a part S changes a by C_S (C_SS)^-1 a_S
    (the block form of Rifkin & Lippert 2007, MIT CSAIL TR-2007-025). Rows are scaled by roots of weights.
    """
    root = np.sqrt(w.astype(np.float64))[:, None]
    middle = np.average(y, axis=0, weights=w)
    matrix = root * (similarity(x, x, GAMMA).astype(np.float64) + 1) * root.T
    matrix[np.diag_indices_from(matrix)] += ridge
    inverse = cho_solve(cho_factor(matrix, overwrite_a=True), np.eye(len(x)))
    alpha = inverse @ (root * (y - middle))
    held_out, solved = np.empty_like(y), [(root * alpha, (root * alpha).sum(axis=0) + middle)]
    for part in _parts(folds):
        change = np.linalg.solve(inverse[np.ix_(part, part)], alpha[part])
        held_out[part] = y[part] - change / root[part]
        rest = root * (alpha - inverse[:, part] @ change)
        solved.append((rest, rest.sum(axis=0) + middle))
    return Fit("kernel_ridge", *_stacked(solved), held_out, x, GAMMA)


def folds_of(people: Sequence[str]) -> Places:
    """A fold of 1 to 10 for each row, fewer where there are fewer people; a person's rows lie in one."""
    folds = np.empty(len(people), np.intp)
    for number, part in enumerate(parts_of(apart(people), FOLDS), start=1):
        folds[part] = number
    return folds


def _parts(folds: Places) -> Iterator[Places]:
    return (np.flatnonzero(folds == fold) for fold in range(1, int(folds.max()) + 1))


def _stacked(solved: Sequence[tuple[Wide, Wide]]) -> tuple[Wide, Wide]:
    weights, bias = zip(*solved, strict=True)
    return np.stack(weights, axis=-1), np.stack(bias, axis=-1)

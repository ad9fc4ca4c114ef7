"""Sums over rows that a linear model is solved from: rows are added, or taken out, without the other rows.

Taking out is exact: what is solved afterwards is what the remaining rows alone would have given, up to the
rounding of float64 (1e-9 of a weight). So a person is unlearned, or left out to see what she taught, at the
price of her own rows. Sums hold vectors, no texts; but the sum over one row is that row's vector.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.linalg import solve

Wide = NDArray[np.float64]
Array = NDArray[Any]

RIDGE = 3.0  # rows' worth of the identity; flat from 1 to 10 on held-out parts of CLINC150's training rows
NOTHING = 1e-6  # of a class's weight: what rounding leaves of a class whose rows were all taken out


class Sums(Struct, frozen=True):
    """Of rows x (n, width) with targets y (n, k) and weights w (n,), where [x 1] is x and a column of ones:
    gram = [x 1]' w [x 1], shape (width + 1, width + 1), and cross = [x 1]' w y, shape (width + 1, k).

    With indicators for targets, a column of `cross` is a class's sum of vectors, and below it its weight.
    """

    gram: Wide
    cross: Wide

    @classmethod
    def of(cls, x: Array, y: Array, w: Array) -> Self:
        """Sums over some rows; y has one column a target."""
        lifted = np.hstack([x, np.ones((len(x), 1))]).astype(np.float64)
        weighed = lifted.T * w
        return cls(weighed @ lifted, weighed @ y.astype(np.float64))

    @classmethod
    def read(cls, tensors: Mapping[str, Array]) -> Self | None:
        """Those that were kept with a model, if any were."""
        return cls(tensors["gram"], tensors["cross"]) if "gram" in tensors else None

    @property
    def tensors(self) -> dict[str, Wide]:
        """What is kept with a model."""
        return {"gram": self.gram, "cross": self.cross}

    def plus(self, x: Array, y: Array, w: Array) -> Self:
        """With these rows added."""
        more = self.of(x, y, w)
        return type(self)(self.gram + more.gram, self.cross + more.cross)

    def minus(self, x: Array, y: Array, w: Array) -> Self:
        """With these rows, which must be among those that were added, taken out."""
        less = self.of(x, y, w)
        return type(self)(self.gram - less.gram, self.cross - less.cross)

    @property
    def weight(self) -> Wide:
        """Of each target; with indicators, the weight of each class's rows, exactly 0 where none are left."""
        total: Wide = np.where(self.cross[-1] > NOTHING, self.cross[-1], 0.0)
        return total

    def means(self) -> Wide:
        """Mean vector of each class, shape (k, width); zeros for a class without rows."""
        known = self.weight[:, None] > 0
        return np.where(known, self.cross[:-1].T / np.where(known, self.weight[:, None], 1), 0.0)

    def solved(self, ridge: float) -> tuple[Wide, Wide]:
        """Weights (width, k) and bias (k,) of ridge regression; the bias is not held down.

        They minimise sum w |x weights + bias - y|^2 + ridge * |weights|^2 (Hoerl & Kennard 1970).
        """
        held = np.full(len(self.gram), float(ridge))
        held[-1] = 0.0
        both: Wide = solve(self.gram + np.diag(held), self.cross, assume_a="pos")
        return both[:-1], both[-1]

    def discriminant(self, ridge: float = RIDGE) -> tuple[Wide, Wide]:
        """Weights (width, k) and bias (k,) of linear discriminant analysis with classes of equal prior.

        One covariance within all classes, with `ridge` rows' worth of the identity added (Friedman 1989,
        JASA 84:165). A class without rows has zeros.
        """
        means, rows = self.means(), self.gram[-1, -1]
        within = self.gram[:-1, :-1] - (means.T * self.weight) @ means
        spread = (within + ridge * np.eye(len(within))) / rows
        weights: Wide = solve(spread, means.T, assume_a="pos")
        return weights, -np.einsum("kd,dk->k", means, weights) / 2

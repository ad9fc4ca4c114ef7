"""A number from a text, with a 90 % interval: what customize teaches for `number` tasks."""

from collections.abc import Sequence
from math import ceil, isfinite, nan
from pathlib import Path
from typing import Any, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.forms.head import Encoder, same_encoder
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.vectors import Matrix, similarity

FORM = "number"
MISS = 0.1  # share of the right numbers that may lie outside
AT_ONCE = 128  # texts whose intervals are in memory: 15 MB for a model of 15,000 rows
Wide = NDArray[np.float64]


class Regression(Struct, frozen=True):
    """Ridge regression on vectors, or on their likeness to `support`, with an interval by CV+.

    Column 0 of `weights`, shape (features, folds + 1), and of `bias` was taught by all rows, column f by all
    but those of fold f. `errors`, shape (n,), are the distances of the right numbers to what was said without
    their fold, which `folds`, shape (n,) of 1 to the number of folds, names. Interval: CV+ of Barber, Candes,
    Ramdas & Tibshirani 2021 (Annals of Statistics 49:486): for any data at least 80 % of the right numbers
    lie inside, and in practice 90 %.
    """

    weights: Wide
    bias: Wide
    errors: Wide
    folds: NDArray[np.uint8]
    encoder: str
    support: Matrix | None = None
    gamma: float = 0.0

    def said_by_each(self, vectors: Matrix) -> Wide:
        """What each column says, shape (len(vectors), folds + 1)."""
        seen = vectors if self.support is None else similarity(vectors, self.support, self.gamma)
        said: Wide = seen.astype(np.float64) @ self.weights + self.bias
        return said

    def estimates(self, vectors: Matrix) -> Wide:
        """Value, low and high of each, shape (len(vectors), 3)."""
        said = self.said_by_each(vectors)
        parts = range(0, max(len(said), 1), AT_ONCE)
        return np.vstack([bounded(said[i : i + AT_ONCE], self.errors, self.folds) for i in parts])

    def keep(self, folder: Path, **manifest: Any) -> Path:
        """Write it as an artefact; `manifest` is kept beside it."""
        tensors: dict[str, NDArray[Any]] = {
            "weights": self.weights, "bias": self.bias, "errors": self.errors, "folds": self.folds,
        }  # fmt: skip
        said = {"form": FORM, "encoder": self.encoder, "gamma": self.gamma, **manifest}
        return artefact.keep(
            folder, said, tensors if self.support is None else {**tensors, "support": self.support}
        )

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read it back. Raises StoreError."""
        said, tensors = artefact.read(place)
        names = ("weights", "bias", "errors", "folds")
        own = {name: tensors[name] for name in names}
        return cls(**own, encoder=said["encoder"], support=tensors.get("support"), gamma=said["gamma"])


def number(said: str) -> float:
    """A label as a number; not a number (nan) when it is none, or is infinite."""
    try:
        value = float(said)
    except ValueError:
        return nan
    return value if isfinite(value) else nan


def bounded(said: Wide, errors: Wide, folds: NDArray[Any]) -> Wide:
    """Value, low and high of each row of `said` (columns as in Regression), at least 9 errors being given.

    With fewer errors no 90 % interval is finite: low and high are infinite.
    """
    n, without = len(errors), said[:, folds]
    place = ceil((1 - MISS) * (n + 1))  # of the high end among n, counted from 1
    if place > n:
        return np.column_stack([said[:, 0], *(np.full(len(said), end) for end in (-np.inf, np.inf))])
    low = np.partition(without - errors, n - place, axis=1)[:, n - place]
    high = np.partition(without + errors, place - 1, axis=1)[:, place - 1]
    return np.column_stack([said[:, 0], np.minimum(low, said[:, 0]), np.maximum(high, said[:, 0])])


class RegressionOnEncoder(Struct, frozen=True):
    """From texts to numbers (answers.Estimating)."""

    regression: Regression
    encoder: Encoder

    def estimates(self, texts: Sequence[str]) -> Wide:
        """Value, and the ends of a 90 % interval, shape (len(texts), 3)."""
        return self.regression.estimates(self.encoder.encode(texts))


def opened(place: Path, *, encoder: Encoder) -> RegressionOnEncoder:
    """One that was kept. Raises StoreError, and EncoderError when it was taught on another encoder."""
    regression = Regression.read(place)
    same_encoder(regression.encoder, encoder, place)
    return RegressionOnEncoder(regression, encoder)

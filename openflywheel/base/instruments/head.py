"""A classifier head on sentence vectors: what customize teaches and serve answers with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.instruments import artefact

Matrix = NDArray[np.float32]


class Head(Struct, frozen=True):
    """Linear scores and a temperature over `labels`: softmax((x @ weights + bias) * sharpness).

    `weights` has shape (width, len(labels)), `bias` (len(labels),). A label that was never taught is not
    among the labels, so it has no probability. `encoder` names what made the vectors.
    """

    labels: tuple[str, ...]
    weights: Matrix
    bias: Matrix
    sharpness: float
    encoder: str

    def probabilities(self, vectors: Matrix) -> Matrix:
        """Calibrated probabilities, shape (len(vectors), len(labels))."""
        return softmax((vectors @ self.weights + self.bias) * np.float32(self.sharpness))

    def predict(self, vectors: Matrix) -> list[str]:
        """Likeliest label of each vector."""
        return [self.labels[i] for i in (vectors @ self.weights + self.bias).argmax(axis=1)]

    def keep(self, folder: Path, **manifest: Any) -> Path:
        """Write it as an artefact; see `artefact.keep`."""
        said = {"labels": self.labels, "sharpness": self.sharpness, "encoder": self.encoder, **manifest}
        return artefact.keep(folder, said, {"weights": self.weights, "bias": self.bias})

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read it back. Raises StoreError."""
        manifest, tensors = artefact.read(place)
        return cls(
            tuple(manifest["labels"]), tensors["weights"], tensors["bias"], manifest["sharpness"], manifest["encoder"]
        )


def softmax(scores: Matrix) -> Matrix:
    """Rows of exp(scores) that sum to 1."""
    exp = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Matrix = exp / exp.sum(axis=1, keepdims=True)
    return probabilities


def classes(labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Distinct labels in alphabetical order, and each label's place among them."""
    names = tuple(sorted(set(labels)))
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place[label] for label in labels], np.intp)

"""A classifier head on sentence vectors: what customize teaches, evaluate examines and serve answers with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments import artefact

Matrix = NDArray[np.float32]

FORM = "head"


class Head(Struct, frozen=True):
    """Scores and a temperature over `labels`: softmax(sharpness * (features(x) @ weights + bias)).

    Features are the vectors themselves, or, with `support` of shape (n, width), their similarity to n known
    examples, exp(gamma * (cosine - 1)). `weights` has shape (features, len(labels)), `bias` (len(labels),).
    A label that was never taught is not among the labels, so it has no probability. `encoder` names what
    made the vectors.
    """

    labels: tuple[str, ...]
    weights: Matrix
    bias: Matrix
    encoder: str
    sharpness: float = 1.0
    support: Matrix | None = None
    gamma: float = 0.0

    def scores(self, vectors: Matrix) -> Matrix:
        """Before the temperature, shape (len(vectors), len(labels))."""
        seen = vectors if self.support is None else similarity(vectors, self.support, self.gamma)
        out: Matrix = seen @ self.weights + self.bias
        return out

    def probabilities(self, vectors: Matrix) -> Matrix:
        """Calibrated probabilities, shape (len(vectors), len(labels))."""
        return softmax(self.scores(vectors) * np.float32(self.sharpness))

    def predict(self, vectors: Matrix) -> list[str]:
        """Likeliest label of each vector."""
        return [self.labels[i] for i in self.scores(vectors).argmax(axis=1)]

    def keep(self, folder: Path, **manifest: Any) -> Path:
        """Write it as an artefact (see artefact.py); `manifest` is kept beside it."""
        numbers = {"sharpness": self.sharpness, "gamma": self.gamma}
        said = {"form": FORM, "labels": self.labels, "encoder": self.encoder, **numbers, **manifest}
        tensors = {"weights": self.weights, "bias": self.bias}
        return artefact.keep(
            folder, said, tensors if self.support is None else {**tensors, "support": self.support}
        )

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read it back. Raises StoreError."""
        manifest, tensors = artefact.read(place)
        return cls(
            labels=tuple(manifest["labels"]),
            encoder=manifest["encoder"],
            sharpness=manifest["sharpness"],
            gamma=manifest["gamma"],
            support=tensors.get("support"),
            weights=tensors["weights"],
            bias=tensors["bias"],
        )


class Encoder(Protocol):
    """The sentence encoder (encoder.py)."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Matrix: ...


class HeadOnEncoder(Struct, frozen=True):
    """A head with the encoder that it was taught on: from texts to labels (answers.Labelling)."""

    head: Head
    encoder: Encoder

    @property
    def labels(self) -> tuple[str, ...]:
        """The head's."""
        return self.head.labels

    def probabilities(self, texts: Sequence[str]) -> Matrix:
        """Calibrated probabilities, shape (len(texts), len(labels))."""
        return self.head.probabilities(self.encoder.encode(texts))


def opened(place: Path, *, encoder: Encoder) -> HeadOnEncoder:
    """A head that was kept. Raises StoreError, and EncoderError when it was taught on another encoder."""
    head = Head.read(place)
    if head.encoder != encoder.name:
        raise EncoderError(
            f"the model {place.name} was taught on the encoder {head.encoder!r}, this process has "
            f"{encoder.name!r}; set  encoder:  in flywheel.yaml back, or see: flywheel doctor"
        )
    return HeadOnEncoder(head, encoder)


def similarity(a: Matrix, b: Matrix, gamma: float) -> Matrix:
    """Gaussian kernel of unit vectors, exp(gamma * (cosine - 1)), shape (len(a), len(b))."""
    out: Matrix = np.exp(np.float32(gamma) * (a @ b.T - np.float32(1)))
    return out


def softmax(scores: Matrix) -> Matrix:
    """Rows of exp(scores) that sum to 1."""
    exp = np.exp(scores - scores.max(axis=1, keepdims=True))
    out: Matrix = exp / exp.sum(axis=1, keepdims=True)
    return out


def classes(labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Distinct labels in alphabetical order, and each label's place among them."""
    names, places = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
    return tuple(str(n) for n in names), places.astype(np.intp)

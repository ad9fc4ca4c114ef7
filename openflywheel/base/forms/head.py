"""A classifier head on sentence vectors: what customize teaches, evaluate examines and serve answers with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.errors import EncoderError
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.sums import Sums
from openflywheel.base.instruments.vectors import Matrix, log_prior, similarity, softmax

Prior = Literal["balanced", "traffic"]

FORM = "head"


class Head(Struct, frozen=True):
    """Scores and a temperature over `labels`: softmax(sharpness * (features(x) @ weights + bias)).

    Features are the vectors themselves, or, with `support` of shape (n, width), their similarity to n known
    examples, exp(gamma * (cosine - 1)). `weights` has shape (features, len(labels)), `bias` (len(labels),).
    A label that was never taught is not among the labels, so it has no probability. `encoder` names what
    made the vectors. One that was solved from `sums` can take in rows, or give them up (`changed`). With the
    `prior` "traffic" a label is as likely beforehand as it is frequent, else all are alike.
    """

    labels: tuple[str, ...]
    weights: Matrix
    bias: Matrix
    encoder: str
    sharpness: float = 1.0
    support: Matrix | None = None
    gamma: float = 0.0
    sums: Sums | None = None
    prior: Prior = "balanced"

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

    def changed(self, sums: Sums) -> Self:
        """The head that other sums give, with the temperature of this one; labels without rows are gone.

        `sums` are those of this head, plus or minus rows; their targets are `indicators`. Exact: the rows
        that are left would give the same head.
        """
        weights, bias = sums.discriminant()
        if self.prior == "traffic":
            bias = bias + log_prior(sums.weight) / self.sharpness
        known = sums.weight > 0
        return msgspec.structs.replace(
            self,
            labels=tuple(label for label, left in zip(self.labels, known, strict=True) if left),
            weights=weights[:, known].astype(np.float32),
            bias=bias[known].astype(np.float32),
            sums=Sums(sums.gram, sums.cross[:, known]),
        )

    def indicators(self, labels: Sequence[str]) -> Matrix:
        """Rows of 0 and 1, shape (len(labels), len(self.labels)). Raises ValueError for an unknown one."""
        known = {label: place for place, label in enumerate(self.labels)}
        if unknown := set(labels) - set(known):
            raise ValueError(f"{min(unknown)!r} is not in the labels of this head")
        out = np.zeros((len(labels), len(self.labels)), np.float32)
        out[np.arange(len(labels)), [known[label] for label in labels]] = 1
        return out

    def keep(self, folder: Path, **manifest: Any) -> Path:
        """Write it as an artefact (see artefact.py); `manifest` is kept beside it."""
        return artefact.keep(folder, {**self.said, **manifest}, self.tensors)

    @property
    def said(self) -> dict[str, Any]:
        """What its manifest holds."""
        numbers = {"sharpness": self.sharpness, "gamma": self.gamma}
        return {"form": FORM, "labels": self.labels, "encoder": self.encoder, "prior": self.prior, **numbers}

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """Its numbers, by the names under which they are kept."""
        tensors: dict[str, NDArray[Any]] = {"weights": self.weights, "bias": self.bias}
        if self.support is not None:
            tensors["support"] = self.support
        return tensors | (self.sums.tensors if self.sums is not None else {})

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read it back. Raises StoreError."""
        return cls.of(*artefact.read(place))

    @classmethod
    def of(cls, said: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """From its manifest and its tensors."""
        return cls(
            labels=tuple(said["labels"]),
            encoder=said["encoder"],
            sharpness=said["sharpness"],
            gamma=said["gamma"],
            support=tensors.get("support"),
            weights=tensors["weights"],
            bias=tensors["bias"],
            sums=Sums.read(tensors),
            prior=said.get("prior", "balanced"),
        )


class Encoder(Protocol):
    """The sentence encoder (encoder.py)."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Matrix: ...


class LabelsVectors(Protocol):
    """A head of any kind: Head, Many (many.py) or Paths (paths.py)."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def probabilities(self, vectors: Matrix) -> Matrix: ...


class HeadOnEncoder(Struct, frozen=True):
    """A head with the encoder that it was taught on: from texts to labels (answers.Labelling)."""

    head: LabelsVectors
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
    same_encoder(head.encoder, encoder, place)
    return HeadOnEncoder(head, encoder)


def same_encoder(taught_on: str, encoder: Encoder, place: Path) -> None:
    """Raises EncoderError when a model was taught on another encoder than this one."""
    if taught_on != encoder.name:
        raise EncoderError(
            f"the model {place.name} was taught on the encoder {taught_on!r}, this process has "
            f"{encoder.name!r}; set  encoder:  in flywheel.yaml back, or see: flywheel doctor"
        )

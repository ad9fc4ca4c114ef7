"""A head for tasks whose answers name several labels at once, as "damaged|late"."""

from pathlib import Path
from typing import Any, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.special import expit

from openflywheel.base.forms.head import Encoder, Head, HeadOnEncoder, same_encoder
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.vectors import Matrix, softmax

FORM = "many"
BETWEEN = "|"
Wide = NDArray[np.float64]


class Many(Struct, frozen=True):
    """Chances of k classes by themselves, sigmoid(slope * score + shift), and of the sets that were taught.

    `labels` are the sets, each with its classes in alphabetical order and | between them; the classes are
    those of `head`, which gives the scores. `slope`, `shift` and `least`, the chance from which on a class is
    named, have the shape (k,). A row of `member`, shape (sets, k), marks the classes of a set. Sets are
    weighed as if classes were independent, and only those that were taught can be answered ("supported
    inference" of Ghamrawi & McCallum 2005, CIKM); `sharpness` makes their probability mean what it says.
    """

    head: Head
    labels: tuple[str, ...]
    slope: Wide
    shift: Wide
    least: Wide
    member: NDArray[np.uint8]
    sharpness: float = 1.0

    def logits(self, vectors: Matrix) -> Wide:
        """Log odds of each class, shape (len(vectors), k)."""
        found: Wide = self.head.scores(vectors) * self.slope + self.shift
        return found

    def each(self, vectors: Matrix) -> Wide:
        """Calibrated chance of each class by itself, shape (len(vectors), k); rows need not sum to 1."""
        chance: Wide = expit(self.logits(vectors))
        return chance

    def chosen(self, vectors: Matrix) -> list[tuple[str, ...]]:
        """The classes that reach their threshold, the likeliest one where none does.

        This is the best answer by F1, the likeliest set the best by whole sets (Dembczynski et al. 2012).
        """
        chance = self.each(vectors)
        named = chance >= self.least
        named[np.arange(len(chance)), (chance / self.least).argmax(axis=1)] = True
        return [tuple(self.head.labels[i] for i in np.flatnonzero(row)) for row in named]

    def probabilities(self, vectors: Matrix) -> Matrix:
        """Calibrated probabilities of the sets, shape (len(vectors), len(labels))."""
        return softmax(set_scores(self.logits(vectors), self.member) * np.float32(self.sharpness))

    def keep(self, folder: Path, **manifest: Any) -> Path:
        """Write it as an artefact; `manifest` is kept beside it."""
        sets = {"sets": self.labels, "set_sharpness": self.sharpness}
        said = {**self.head.said, "form": FORM, **sets, **manifest}
        own: dict[str, NDArray[Any]] = {
            "slope": self.slope, "shift": self.shift, "least": self.least, "member": self.member,
        }  # fmt: skip
        return artefact.keep(folder, said, {**self.head.tensors, **own})

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read it back. Raises StoreError."""
        said, tensors = artefact.read(place)
        own = {name: tensors[name] for name in ("slope", "shift", "least", "member")}
        return cls(Head.of(said, tensors), tuple(said["sets"]), **own, sharpness=said["set_sharpness"])


def set_scores(logits: Wide, member: NDArray[np.uint8]) -> Matrix:
    """Log probability of each set of independent classes but for a constant, shape (n, sets)."""
    found: Matrix = (logits @ member.T.astype(np.float64)).astype(np.float32)
    return found


def opened(place: Path, *, encoder: Encoder) -> HeadOnEncoder:
    """One that was kept. Raises StoreError, and EncoderError when it was taught on another encoder."""
    many = Many.read(place)
    same_encoder(many.head.encoder, encoder, place)
    return HeadOnEncoder(many, encoder)

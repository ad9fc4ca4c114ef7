"""A head for labels that are paths, as "billing/refund": where no leaf is sure, the branch is answered."""

from pathlib import Path
from typing import Any, Self

import numpy as np
from msgspec import Struct

from openflywheel.base.forms.head import Encoder, Head, HeadOnEncoder, same_encoder
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.vectors import Matrix

FORM = "paths"
BETWEEN = "/"


class Branch(Struct, frozen=True):
    """A label with others below it, all as places among the labels; children are those right below."""

    place: int
    children: tuple[int, ...]
    below: tuple[int, ...]


class Paths(Struct, frozen=True):
    """A head over paths; what is answered is the deepest place in the tree whose chance is at least `sure`.

    `labels` are the paths that were taught and every branch above one, in alphabetical order; `under`, shape
    (taught paths, labels), tells which are above a path, or the path itself. A branch has the chance of all
    that is under it, so levels never contradict each other. `sure` is at least .5, so that at most one place
    of each level reaches it.
    """

    head: Head
    sure: float
    labels: tuple[str, ...]
    under: Matrix
    branches: tuple[Branch, ...]

    @classmethod
    def of(cls, head: Head, sure: float) -> Self:
        """The tree of a head's labels."""
        above = [lineage(label) for label in head.labels]
        labels = tuple(sorted({label for each in above for label in each}))
        under = np.array([[label in each for label in labels] for each in above], np.float32)
        branches = (_branch(place, labels) for place in range(len(labels)))
        return cls(head, sure, labels, under, tuple(b for b in branches if b.below))

    def chances(self, vectors: Matrix) -> Matrix:
        """Calibrated chance of each label and all below it, shape (len(vectors), len(labels))."""
        chance: Matrix = self.head.probabilities(vectors) @ self.under
        return chance

    def probabilities(self, vectors: Matrix) -> Matrix:
        """Probability that this is the answer and right, shape (len(vectors), len(labels)); rows sum to 1.

        Where the deepest sure place is a branch, it has the whole chance of what is below it.
        """
        return self.rolled(self.head.probabilities(vectors))

    def rolled(self, leaves: Matrix) -> Matrix:
        """The same from the probabilities of the paths that were taught."""
        chance = leaves @ self.under
        out = np.zeros_like(chance)
        out[:, [self.labels.index(label) for label in self.head.labels]] = leaves
        for branch in self.branches:
            stops = chance[:, branch.place] >= self.sure
            stops &= (chance[:, branch.children] < self.sure).all(axis=1)
            out[np.ix_(stops, np.array(branch.below))] = 0
            out[stops, branch.place] = chance[stops, branch.place]
        return out

    def keep(self, folder: Path, **manifest: Any) -> Path:
        """Write it as an artefact; `manifest` is kept beside it."""
        return artefact.keep(
            folder, {**self.head.said, "form": FORM, "sure": self.sure, **manifest}, self.head.tensors
        )

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read it back. Raises StoreError."""
        said, tensors = artefact.read(place)
        return cls.of(Head.of(said, tensors), said["sure"])


def lineage(path: str) -> tuple[str, ...]:
    """A path and the branches above it, from the root on: a/b/c has a, a/b and a/b/c."""
    parts = path.split(BETWEEN)
    return tuple(BETWEEN.join(parts[: depth + 1]) for depth in range(len(parts)))


def _branch(place: int, labels: tuple[str, ...]) -> Branch:
    own = labels[place]
    below = [i for i, label in enumerate(labels) if label.startswith(own + BETWEEN)]
    children = [i for i in below if labels[i].count(BETWEEN) == own.count(BETWEEN) + 1]
    return Branch(place, tuple(children), tuple(below))


def opened(place: Path, *, encoder: Encoder) -> HeadOnEncoder:
    """One that was kept. Raises StoreError, and EncoderError when it was taught on another encoder."""
    paths = Paths.read(place)
    same_encoder(paths.head.encoder, encoder, place)
    return HeadOnEncoder(paths, encoder)

"""A head for labels that are paths, as "billing/refund": where no leaf is sure, the branch is answered."""

from bisect import bisect_left
from pathlib import Path
from typing import Any, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.forms.head import Encoder, Head, HeadOnEncoder, same_encoder
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.vectors import Matrix

FORM = "paths"
BETWEEN = "/"
AFTER = chr(ord(BETWEEN) + 1)  # what begins with a branch and / sorts before that branch and this
Places = NDArray[np.intp]


class Paths(Struct, frozen=True):
    """A head over paths; what is answered is the deepest place in the tree whose chance is at least `sure`.

    `labels` are the paths that were taught and every branch above one, in alphabetical order, so that those
    below a branch lie side by side: `below`, shape (labels, 2), is where they begin and end. `above` is the
    place of the branch right above each, its own for one at the root, and `taught` are the places of the
    head's labels. A branch has the chance of all that is below it, so levels never contradict each other.
    `sure` is at least .5, so that at most one place of each level reaches it.
    """

    head: Head
    sure: float
    labels: tuple[str, ...]
    taught: Places
    above: Places
    below: Places

    @classmethod
    def of(cls, head: Head, sure: float) -> Self:
        """The tree of a head's labels."""
        labels = tuple(sorted({label for path in head.labels for label in lineage(path)}))
        place = {label: number for number, label in enumerate(labels)}
        taught = [place[label] for label in head.labels]
        above = [place[lineage(label)[-2:][0]] for label in labels]
        below = [[bisect_left(labels, label + end) for end in (BETWEEN, AFTER)] for label in labels]
        return cls(head, sure, labels, *(np.array(each, np.intp) for each in (taught, above, below)))

    def chances(self, vectors: Matrix) -> Matrix:
        """Calibrated chance of each label and all below it, shape (len(vectors), len(labels))."""
        return self._summed(self._placed(self.head.probabilities(vectors)))

    def probabilities(self, vectors: Matrix) -> Matrix:
        """Probability that this is the answer and right, shape (len(vectors), len(labels)); rows sum to 1.

        Where the deepest sure place is a branch, it has the whole chance of what is below it.
        """
        return self.rolled(self.head.probabilities(vectors))

    def rolled(self, leaves: Matrix) -> Matrix:
        """The same from the probabilities of the paths that were taught."""
        out = self._placed(leaves)
        chance = self._summed(out)
        surest = np.zeros_like(chance)  # of those right below
        inner = np.flatnonzero(self.above != np.arange(len(self.labels)))
        np.maximum.at(surest.T, self.above[inner], chance.T[inner])
        stops = (chance >= self.sure) & (surest < self.sure) & (self.below[:, 0] < self.below[:, 1])
        for row, place in np.argwhere(stops):
            out[row, slice(*self.below[place])] = 0
            out[row, place] = chance[row, place]
        return out

    def _placed(self, leaves: Matrix) -> Matrix:
        """Chances of the paths that were taught among all labels, 0 for the others."""
        out = np.zeros((len(leaves), len(self.labels)), np.float32)
        out[:, self.taught] = leaves
        return out

    def _summed(self, own: Matrix) -> Matrix:
        """The chance of each with all below it, in float64 between: sums from the left, one less another."""
        until = np.zeros((len(own), len(self.labels) + 1))
        np.cumsum(own, axis=1, dtype=np.float64, out=until[:, 1:])
        below = until[:, self.below[:, 1]] - until[:, self.below[:, 0]]
        chance: Matrix = (own + below).astype(np.float32)
        return chance

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


def opened(place: Path, *, encoder: Encoder) -> HeadOnEncoder:
    """One that was kept. Raises StoreError, and EncoderError when it was taught on another encoder."""
    paths = Paths.read(place)
    same_encoder(paths.head.encoder, encoder, place)
    return HeadOnEncoder(paths, encoder)

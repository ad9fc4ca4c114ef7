"""What an encoder is tuned towards. Both losses weigh a batch's rows by `weight`, of mean 1."""

from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from openflywheel.base.instruments.vectors import Matrix
from openflywheel.customize._people import Places

Name = Literal["classify", "contrast"]

# Of cosines before the softmax. CLINC150, 1,000 rows: right on .908 with 12, .898 with 20, .887 with 40,
# which leave too little to learn: the loss begins near 0.
SCALE = 12.0
TEMPERATURE = 0.07  # of cosines to other rows, as in Khosla et al.


class Loss(Protocol):
    """A number to lower; `learned` are tensors of its own that training changes too."""

    learned: dict[str, Tensor]

    def order(self, right: Places, random: np.random.Generator) -> NDArray[np.intp]:
        """All rows in the order in which an epoch takes them, cut into batches afterwards."""
        ...

    def __call__(self, vectors: Tensor, right: Tensor, weight: Tensor) -> Tensor: ...


class Classify:
    """Log loss of a softmax over the cosines to one learned direction a class, which begins at the class's
    mean before tuning (imprinted weights, Qi et al. 2018, arXiv:1712.07136).
    """

    def __init__(self, means: Matrix) -> None:
        """`means` of shape (classes, width)."""
        self.learned = {"classes": torch.tensor(means).requires_grad_()}

    def order(self, right: Places, random: np.random.Generator) -> NDArray[np.intp]:
        """By lot."""
        return random.permutation(len(right))

    def __call__(self, vectors: Tensor, right: Tensor, weight: Tensor) -> Tensor:
        cosines = vectors @ functional.normalize(self.learned["classes"], dim=1).T
        return (weight * functional.cross_entropy(SCALE * cosines, right, reduction="none")).mean()


class Contrast:
    """Supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362, L_out): draws a row nearer to those
    of its own class in the batch than to the others. A row without such a companion only repels.
    """

    learned: dict[str, Tensor] = {}  # noqa: RUF012  never changed

    def order(self, right: Places, random: np.random.Generator) -> NDArray[np.intp]:
        """Rows of a class in pairs, and the pairs by lot: by chance few of 150 classes would meet."""
        shuffled = random.permutation(len(right))
        grouped = shuffled[np.argsort(right[shuffled], kind="stable")]
        _, begin = np.unique(right[grouped], return_index=True)
        within = np.arange(len(grouped)) - np.repeat(begin, np.diff([*begin, len(grouped)]))
        starts = np.flatnonzero(within % 2 == 0)
        pairs = np.split(grouped, starts[1:])
        return np.concatenate([pairs[place] for place in random.permutation(len(pairs))])

    def __call__(self, vectors: Tensor, right: Tensor, weight: Tensor) -> Tensor:
        itself = torch.eye(len(vectors), dtype=torch.bool)
        alike = (right[:, None] == right[None]) & ~itself
        likeness = (vectors @ vectors.T / TEMPERATURE).masked_fill(itself, -torch.inf)
        surprise = likeness.logsumexp(dim=1, keepdim=True) - likeness
        companions = alike.sum(dim=1)
        each = surprise.masked_fill(~alike, 0).sum(dim=1) / companions.clamp(min=1)
        return (weight * each).sum() / (weight * (companions > 0)).sum().clamp(min=1e-9)


def loss_of(name: Name, means: Matrix) -> Loss:
    """The loss by its name."""
    return Classify(means) if name == "classify" else Contrast()

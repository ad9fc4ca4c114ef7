"""Texts of unlike length as one run of tokens: linear layers then work on no padding."""

from collections.abc import Sequence

import torch
from msgspec import Struct
from torch import Tensor


class Packed(Struct, frozen=True):
    """A batch of n texts with t tokens in all, the longest with l: all tokens one after the other.

    `ids`, `places` (within the text), `owners` (the text) and `slots` (in a padded batch, row by row) have
    shape (t,), `lengths` (n,). `mask`, shape (n, 1, 1, l), is true for tokens; None when there is no padding.
    """

    ids: Tensor
    places: Tensor
    owners: Tensor
    slots: Tensor
    lengths: Tensor
    mask: Tensor | None

    def padded(self, rows: Tensor, heads: int) -> Tensor:
        """Rows (t, width) as (n, heads, l, width / heads), with zeros where no token is."""
        n, longest = len(self.lengths), int(self.lengths.max())
        empty = rows.new_zeros(n * longest, rows.shape[1])
        return empty.index_copy(0, self.slots, rows).view(n, longest, heads, -1).transpose(1, 2)

    def flat(self, padded: Tensor) -> Tensor:
        """Undoes `padded`."""
        return padded.transpose(1, 2).reshape(padded.shape[0] * padded.shape[2], -1)[self.slots]

    def means(self, rows: Tensor) -> Tensor:
        """The mean over each text's tokens, shape (n, width)."""
        sums = rows.new_zeros(len(self.lengths), rows.shape[1]).index_add(0, self.owners, rows)
        return sums / self.lengths[:, None]


def pack(ids: Sequence[Sequence[int]]) -> Packed:
    """Token ids of each text, all of them at least one long, as one batch."""
    lengths = torch.tensor([len(row) for row in ids])
    present = torch.arange(int(lengths.max()))[None] < lengths[:, None]
    owners, places = present.nonzero(as_tuple=True)
    return Packed(
        ids=torch.tensor([token for row in ids for token in row]),
        places=places,
        owners=owners,
        slots=present.flatten().nonzero()[:, 0],
        lengths=lengths,
        mask=None if bool(present.all()) else present[:, None, None, :],
    )

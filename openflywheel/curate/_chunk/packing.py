"""Which pieces of one text go together: as many as fit, cut where that breaks least."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._chunk.lines import Ints

FULL = 0.5  # a chunk that is so full may end; before that, a cut that breaks more is taken instead


class Text(Struct, frozen=True):
    """The n pieces of one text.

    A part that may not be cut fits by itself, so some cut is always open.

    sums: shape (n + 1,), tokens of all pieces before each. border: shape (n,), see Lines. open: shape (n,),
    whether the text may be cut before the piece. before: shape (n,), tokens of what is repeated where the
    piece begins a chunk.
    """

    sums: Ints
    border: NDArray[np.uint8]
    open: NDArray[np.bool_]
    before: Ints


def packed(text: Text, limit: int) -> list[int]:
    """Where the chunks begin (numbers of pieces), then the number of pieces."""
    cuts, size = [0], len(text.border)
    while cuts[-1] < size:
        start = cuts[-1]
        room = text.sums[start] + limit - (text.before[start] if start else 0)
        end = max(start + 1, int(np.searchsorted(text.sums, room, "right")) - 1)
        cuts.append(size if end >= size else _best(text, start, end, limit))
    return cuts


def _best(text: Text, start: int, end: int, limit: int) -> int:
    """Of the cuts after `start`, up to `end`: the one that breaks least, of equals the last."""
    places = np.arange(start + 1, end + 1)
    allowed = places[text.open[places]]
    full = allowed[text.sums[allowed] - text.sums[start] >= FULL * limit]
    choice = full if len(full) else allowed
    worst_last = text.border[choice]
    return int(choice[np.flatnonzero(worst_last == worst_last.min())[-1]])

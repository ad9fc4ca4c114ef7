"""In which order the lines of a printed page are read, where it has columns.

A page is cut into bands of lines; bands that share a gutter (white space from the first to the last of them,
with text on both sides) are read column by column. This is the recursive XY-cut (Nagy and Seth 1984) of depth
two, with the horizontal cut put where the gutter ends instead of at the widest gap: paragraphs of two columns
that happen to end at the same height do not tear the columns apart.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
"""Shape (n, 4): left, bottom, right, top of each piece of text, in points; y grows upwards."""

GUTTER = 0.8  # of a line's height: words stand a quarter of it apart, columns one to three
FULL = 0.6  # share of a column that its lines fill at the median; cells of a table fill less
WIDE = 10  # heights of a line that a column is wide at least; a table's columns are seldom
LINES = 3  # that a column has at least


def lines(boxes: Boxes) -> list[list[int]]:
    """Lines of the page as they are read, each a list of boxes from left to right; none without columns."""
    height = float(np.median(boxes[:, 3] - boxes[:, 1])) if len(boxes) else 0.0
    columns = [
        _columns(boxes, block, GUTTER * height) for block in _blocks(boxes, _bands(boxes), GUTTER * height)
    ]
    if all(len(side_by_side) < 2 for side_by_side in columns):
        return []
    return [band for side_by_side in columns for column in side_by_side for band in _bands(boxes, column)]


def _bands(boxes: Boxes, among: Sequence[int] | None = None) -> list[list[int]]:
    """Boxes that stand on one line, from top to bottom: each one's middle lies within the band so far."""
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    bands: list[list[int]] = []
    floor = np.inf
    for i in sorted(range(len(boxes)) if among is None else among, key=lambda i: -middle[i]):
        if middle[i] < floor:
            bands.append([])
            floor = boxes[i, 1]
        bands[-1].append(i)
    return [sorted(band, key=lambda i: boxes[i, 0]) for band in bands]


def _blocks(boxes: Boxes, bands: Sequence[list[int]], wide: float) -> Iterator[list[int]]:
    """Runs of bands that share a gutter, and the runs between them."""
    block: list[int] = []
    divided = False
    for band in bands:
        goes_on = bool(_gutters(boxes, [*block, *band], wide)) if divided else not _gutters(boxes, band, wide)
        if block and not goes_on:
            yield block
            block = []
        if not block:
            divided = bool(_gutters(boxes, band, wide))
        block = [*block, *band]
    if block:
        yield block


def _gutters(boxes: Boxes, among: Sequence[int], wide: float) -> list[float]:
    """Where white space divides boxes, from top to bottom of them: the middles of the gaps."""
    if not among:
        return []
    spans = boxes[list(among)][:, (0, 2)]
    spans = spans[np.argsort(spans[:, 0])]
    ends = np.maximum.accumulate(spans[:, 1])
    gaps = spans[1:, 0] - ends[:-1]
    return [float(ends[i] + gaps[i] / 2) for i in np.flatnonzero(gaps > wide)]


def _columns(boxes: Boxes, block: Sequence[int], wide: float) -> list[list[int]]:
    """The columns of a block, from left to right; the block itself where they are a table's, or too short."""
    cuts = _gutters(boxes, block, wide)
    places = np.searchsorted(cuts, boxes[list(block), 0])
    columns = [[i for i, at in zip(block, places, strict=True) if at == k] for k in range(len(cuts) + 1)]
    return columns if all(_is_prose(boxes, column) for column in columns) else [list(block)]


def _is_prose(boxes: Boxes, column: Sequence[int]) -> bool:
    bands = _bands(boxes, column)
    spans = boxes[list(column)]
    width, height = spans[:, 2].max() - spans[:, 0].min(), np.median(spans[:, 3] - spans[:, 1])
    filled = [sum(boxes[i, 2] - boxes[i, 0] for i in band) / max(width, 1e-9) for band in bands]
    return len(bands) >= LINES and width >= WIDE * height and float(np.median(filled)) >= FULL

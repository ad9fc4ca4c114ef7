"""Where in a batch's texts a careful detector has to look: near a hint, and nowhere else.

One pass of RE2 over blocks of lines finds the few of them that can hold anything.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

BLOCK = 128  # bytes: a block ends with the line in which so many more of them are full
BEFORE = 64  # characters before a line on which its treatment may depend (guard/_spans.REACH)
LINE = ord("\n")

Places = NDArray[np.int64]


class Hints(Protocol):
    """Where guards may find something (guard/_spans.Hints)."""

    @property
    def lines(self) -> tuple[str, ...]: ...

    @property
    def texts(self) -> tuple[str, ...]: ...


class Windows(Struct, frozen=True):
    """Parts of texts, bytes `starts` to `ends` of the UTF-8 text in row `rows`, in order and apart."""

    rows: Places
    starts: Places
    ends: Places


def windows(texts: pa.StringArray, hints: Hints | None) -> Windows:
    """The parts of the texts in which something may be found; without hints, all of every text."""
    ends = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    whole = Windows(np.arange(len(texts)), np.zeros(len(texts), np.int64), ends)
    if hints is None:
        return whole
    wide = _matching(texts, hints.texts)
    near = _near(texts, hints.lines)
    return _together(_taken(whole, wide), _taken(near, ~wide[near.rows]))


def _matching(texts: pa.StringArray, patterns: Sequence[str]) -> NDArray[np.bool_]:
    if not patterns:
        return np.zeros(len(texts), bool)
    found = pc.match_substring_regex(texts, "|".join(f"(?:{p})" for p in dict.fromkeys(patterns)))
    matching: NDArray[np.bool_] = found.to_numpy(zero_copy_only=False)
    return matching


def _near(texts: pa.StringArray, patterns: Sequence[str]) -> Windows:
    """Each block of lines with a match, and what stands before it; one window where two of them meet."""
    data, offsets = _buffers(texts)
    cuts = _cuts(data, offsets)
    blocks = pa.StringArray.from_buffers(
        len(cuts) - 1, pa.py_buffer(cuts.astype(np.int32)), texts.buffers()[2]
    )
    hit = np.flatnonzero(_matching(blocks, patterns))
    rows = np.searchsorted(offsets, cuts[hit], "right") - 1
    starts, ends = np.maximum(_before(data, cuts[hit]), offsets[rows]), cuts[hit + 1]
    first = np.ones(len(hit), bool)
    first[1:] = (rows[1:] != rows[:-1]) | (starts[1:] > ends[:-1])
    last = np.roll(first, -1)
    return Windows(rows[first], (starts - offsets[rows])[first], (ends - offsets[rows])[last])


def _buffers(texts: pa.StringArray) -> tuple[NDArray[np.uint8], Places]:
    """The bytes of the texts, and where each of them begins and the last one ends."""
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data or b"", np.uint8), bounds.astype(np.int64)


def _cuts(data: NDArray[np.uint8], offsets: Places) -> Places:
    """Where blocks begin, and where the last one ends: at every text and behind some of its lines."""
    inside = data[offsets[0] : offsets[-1]]
    lines = np.flatnonzero(inside == LINE) + 1
    nearest = np.searchsorted(lines, np.arange(BLOCK, len(inside), BLOCK))
    behind = lines[nearest[nearest < len(lines)]] + offsets[0]
    return np.unique(np.concatenate([offsets, behind]))


def _before(data: NDArray[np.uint8], places: Places) -> Places:
    """Where the character begins that stands `BEFORE` characters before each place; 0 where none does."""
    back = np.arange(1, 4 * BEFORE + 1)  # a character has at most four bytes
    near = data[np.maximum(places[:, None] - back, 0)]
    characters = np.cumsum(near & 0xC0 != 0x80, axis=1)
    found: Places = np.maximum(places - back[np.argmax(characters == BEFORE, axis=1)], 0)
    return found


def _taken(some: Windows, mask: NDArray[np.bool_]) -> Windows:
    return Windows(some.rows[mask], some.starts[mask], some.ends[mask])


def _together(one: Windows, other: Windows) -> Windows:
    rows = np.concatenate([one.rows, other.rows])
    order = np.argsort(rows, kind="stable")
    starts, ends = np.concatenate([one.starts, other.starts]), np.concatenate([one.ends, other.ends])
    return Windows(rows[order], starts[order], ends[order])

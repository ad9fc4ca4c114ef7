"""One pass over the texts of a batch: words and symbols as numpy arrays, with no Python for each word.

Words are those of Unicode's default rules (UAX #29, without the colon): runs of letters, marks, digits and
underscores, joined over a full stop or an apostrophe between letters or digits (don't, 3.14, e.g) and a comma
between digits (1,000). Scripts that write no spaces (Han, Hiragana, Thai, Lao, Khmer, Burmese, ...) give one
word a letter, again as UAX #29 has it. A whole sentence as one word, as spaCy's English tokeniser leaves it
(datatrove's default), makes rules about words and n-grams blind; dictionaries for each such language weigh
more than this package. Any other visible character is a symbol; a run of one ("...", "-----") counts once.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._characters import (
    ALONE,
    DIGIT,
    JOINER,
    LETTER,
    MARK,
    SYMBOL,
    Codes,
    among,
    classes,
    codes_of,
    small,
)
from openflywheel.curate._mixing import mixed

AT_ONCE = (
    1 << 18
)  # characters of a passage: 26 million a second; at 2 ** 22 they leave the cache, a third slower
WORD = LETTER | DIGIT | JOINER
JOINS = ".,'\u2019_\u00b7"

GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Tokens(Struct, frozen=True):
    """Words and symbols of several texts, in their order.

    offsets: shape (texts + 1,); those of text i stand at offsets[i]:offsets[i + 1].
    hashes: uint64, of the word in small letters; equal on every machine.
    starts: characters before it in its own text.
    lengths: characters.
    kinds: uint8, bits of its characters: LETTER, DIGIT, JOINER, ALONE (of a script without spaces), SYMBOL.
    """

    offsets: Index
    hashes: NDArray[np.uint64]
    starts: Index
    lengths: Index
    kinds: NDArray[np.uint8]

    @property
    def doc(self) -> Index:
        """The text of each."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def total(self, values: NDArray[Any]) -> Index:
        """Sums of a number for each, per text."""
        return np.diff(np.concatenate([[0], np.cumsum(values, dtype=np.int64)])[self.offsets])

    def words(self) -> "Tokens":
        """Without the symbols."""
        return self.where(self.kinds & SYMBOL == 0)

    def where(self, mask: Mask) -> "Tokens":
        """Those of the mask."""
        offsets = np.concatenate([[0], np.cumsum(mask)])[self.offsets]
        return Tokens(offsets, self.hashes[mask], self.starts[mask], self.lengths[mask], self.kinds[mask])


class Passage(Struct, frozen=True):
    """Some texts, each with a line feed after it, and their tokens.

    codes: the code points of all. bounds: shape (texts + 1,), where each text begins in them.
    tokens: their starts count from the beginning of the passage.
    """

    codes: Codes
    bounds: Index
    tokens: Tokens


def tokens(texts: pa.Array | pa.ChunkedArray) -> Tokens:
    """Tokens of every text; a null has none."""
    parts = [_own_starts(p) for p in passages(texts)] or [_found(codes_of("\n"), np.zeros(1, np.int64))]
    before = np.cumsum([0, *(p.offsets[-1] for p in parts)])
    return Tokens(
        np.concatenate([[0], *(p.offsets[1:] + n for p, n in zip(parts, before, strict=False))]),
        np.concatenate([p.hashes for p in parts]),
        np.concatenate([p.starts for p in parts]),
        np.concatenate([p.lengths for p in parts]),
        np.concatenate([p.kinds for p in parts]),
    )


def _own_starts(passage: Passage) -> Tokens:
    found = passage.tokens
    starts = found.starts - np.repeat(passage.bounds[:-1], np.diff(found.offsets))
    return Tokens(found.offsets, found.hashes, starts, found.lengths, found.kinds)


def passages(texts: pa.Array | pa.ChunkedArray) -> Iterator[Passage]:
    """The texts in their order, in passages of about `AT_ONCE` characters; a longer text has its own."""
    texts = pc.fill_null(texts, "")
    ends = np.cumsum(pc.utf8_length(texts).to_numpy().astype(np.int64) + 1)
    first = 0
    while first < len(texts):
        begun = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, begun + AT_ONCE, "right")))
        codes = codes_of("\n".join((*texts.slice(first, last - first).to_pylist(), "")))
        bounds = np.concatenate([[0], ends[first:last] - begun])
        yield Passage(codes, bounds, _found(codes, bounds))
        first = last


def _found(codes: Codes, bounds: Index) -> Tokens:
    bits, goes_on = _marks_filled(_joined(codes, classes()[codes]))
    groups = _groups()[bits]
    same = (groups[1:] == groups[:-1]) & (groups[1:] != ALONE)
    same &= (groups[1:] != SYMBOL) | (codes[1:] == codes[:-1])
    begins = (bits > 0) & ~goes_on
    begins[1:] &= ~same
    edges = begins.copy()
    edges[1:] |= (bits[1:] == 0) & (bits[:-1] > 0)  # a text ends with a line feed, so every token has an end
    places = np.flatnonzero(edges)
    firsts = np.flatnonzero(begins[places])
    starts = places[firsts]
    lengths = places[firsts + 1] - starts
    kinds = np.bitwise_or.reduceat(bits, starts) if len(starts) else np.empty(0, np.uint8)
    return Tokens(np.searchsorted(starts, bounds), _hashes(codes, starts, lengths), starts, lengths, kinds)


def _joined(codes: Codes, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The classes, with what joins two halves of a word as JOINER. The last character is a line feed."""
    places = np.flatnonzero(among(JOINS)[codes])
    before, after = bits[places - 1], bits[places + 1]
    inside = ((before & (LETTER | DIGIT | MARK)) > 0) & ((after & (LETTER | DIGIT)) > 0)
    joins = np.where(codes[places] == ord(","), (before & after & DIGIT) > 0, inside)
    bits[places[joins & (places > 0)]] = JOINER
    return bits


def _marks_filled(bits: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Mask]:
    """Each run of marks takes the class before it, as an accent is part of its letter; and where it does."""
    marks = np.flatnonzero(bits & MARK)
    goes_on = np.zeros(len(bits), bool)
    if len(marks):
        fresh = np.concatenate([[True], np.diff(marks) > 1])
        before = marks[fresh][np.cumsum(fresh) - 1] - 1
        taken = np.where(before < 0, 0, bits[before])
        bits[marks] = np.where(taken > 0, taken, SYMBOL)
        goes_on[marks] = taken > 0
    return bits, goes_on


def _hashes(codes: Codes, starts: Index, lengths: Index) -> NDArray[np.uint64]:
    """Polynomial hash of each token's small letters modulo 2 ** 64 (Karp & Rabin 1987), then mixed.

    One running sum serves all: a token's is the difference at its ends, divided by the power at its start.
    """
    powers, inverses = _powers(AT_ONCE) if len(codes) <= AT_ONCE else _grown(len(codes))
    terms = small()[codes].astype(np.uint64)
    terms += np.uint64(1)
    terms *= powers[: len(codes)]
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms)])
    return mixed((sums[starts + lengths] - sums[starts]) * inverses[starts])


@cache
def _powers(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The powers 0, 1, 2, ... of an odd number, and what undoes the multiplication by each."""
    return _grown(count)


def _grown(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The same for one long text, which is not worth keeping."""
    both = [np.full(count, n, np.uint64) for n in (int(GOLDEN), pow(int(GOLDEN), -1, 1 << 64))]
    for powers in both:
        powers[0] = 1
    return np.cumprod(both[0]), np.cumprod(both[1])


def segments(values: NDArray[Any], first: Index) -> Index:
    """Sums over the stretches that begin at `first`, the first of them at 0."""
    return np.add.reduceat(values, first, dtype=np.int64) if len(first) else first


def joined(hashes: NDArray[np.uint64], first: Index, place: Index | None = None) -> NDArray[np.uint64]:
    """One hash for each of the stretches that begin at `first`; `place` is that of each in its stretch."""
    if not len(first):
        return hashes[:0]
    if place is None:
        place = np.arange(len(hashes)) - np.repeat(first, np.diff(np.append(first, len(hashes))))
    return np.add.reduceat(mixed(hashes + place.astype(np.uint64) * GOLDEN), first)


@cache
def _groups() -> NDArray[np.uint8]:
    """Letters, digits and joiners are of one group."""
    table = np.arange(256, dtype=np.uint8)
    table[(table & WORD) > 0] = WORD
    return table

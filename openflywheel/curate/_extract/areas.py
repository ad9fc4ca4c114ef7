"""The areas of many pages one after the other, and what is in each: sums over ranges of blocks.

All sums are differences of sums of whole numbers, so the numbers of a page do not depend on which others it
is measured with.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._extract.blocks import CODES, Page
from openflywheel.curate._extract.letters import COMMA, Letters, letters
from openflywheel.curate._extract.words import GROUPS

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]

WIDE = 0.6  # of a page's text: what such an area is called says nothing of a block in it
LONG = 120  # letters: a block that reads like a paragraph whatever its element
LEVELS = 7  # doublings: words count up to 128 areas further out
_LISTS = [CODES[name] for name in ("ul", "ol", "dl", "table")]
_PARAGRAPHS = [CODES[name] for name in ("p", "pre", "blockquote")]
INNER = [*_PARAGRAPHS, *(CODES[f"h{n}"] for n in range(1, 7))]
BODY = 1
NOISE = sum(
    1 << bit
    for bit, (name, _) in enumerate(GROUPS)
    if name in ("comment", "share", "related", "side", "menu", "edge", "notice", "advert")
)
# The marks that an area starts with, by its element (Arc90's Readability, 2009).
_MARKS = np.zeros(len(CODES))
for _mark, _names in ((5, "div"), (3, "pre td blockquote"), (-3, "address ol ul dl dd dt li form"),
                      (-5, "h1 h2 h3 h4 h5 h6 th")):  # fmt: skip
    _MARKS[[CODES[name] for name in _names.split()]] = _mark


class Areas(Struct, frozen=True):
    """Areas and blocks of all pages, numbered through.

    Per page: `first_area`, `first_block`. Per block: its `page`, its `area`, `home` (the area around its
    paragraph), `letters`, `linked` (share of its letters within links), `kind` (its element). Per area:
    `kinds`, `words`, `parents`, `owners` (its page), `starts` and `ends` (its blocks), letters in all
    (`size`) and in paragraphs (`prose`), blocks (`count`), share of links (`density`); `under` and `within`
    are the words and elements of all areas around it, as bits; `lists` is the nearest list or table, else -1.
    """

    first_area: Ints
    first_block: Ints
    page: Ints
    area: Ints
    home: Ints
    kind: Ints
    letters: Letters
    linked: Reals
    kinds: Ints
    words: Ints
    parents: Ints
    owners: Ints
    starts: Ints
    ends: Ints
    size: Ints
    count: Ints
    prose: Ints
    density: Reals
    under: Ints
    within: Ints
    lists: Ints

    def total(self, values: Ints) -> Ints:
        """Sums of a number of each block, per area."""
        return _totals(values, self.starts, self.ends)


def areas(pages: Sequence[Page]) -> Areas:
    """Measure pages, each with one block at least."""
    blocks, count = np.array([len(p.texts) for p in pages]), np.array([len(p.kinds) for p in pages])
    first_block, first_area = np.cumsum(blocks) - blocks, np.cumsum(count) - count
    page, owners = np.repeat(np.arange(len(pages)), blocks), np.repeat(np.arange(len(pages)), count)
    counted = letters(list(chain.from_iterable(p.texts for p in pages)))
    linked = _joined(p.linked for p in pages)
    area = _joined(p.areas for p in pages) + first_area[page]
    kinds, words = _joined(p.kinds for p in pages), _joined(p.words for p in pages)
    parents = _joined(p.parents for p in pages) + first_area[owners]
    starts = _joined(p.starts for p in pages) + first_block[owners]
    ends = _joined(p.ends for p in pages) + first_block[owners]
    size = _totals(counted.size, starts, ends)
    links = _totals(linked * counted.size // counted.characters, starts, ends)
    kind = kinds[area]
    reads = np.isin(kind, _PARAGRAPHS) | (counted.size > LONG)
    prose = np.where(reads & (linked * 2 < counted.characters), counted.size, 0)
    narrow = size < WIDE * size[first_area][owners]
    under, within, lists = _around(np.where(narrow, words, 0), kinds, parents)
    return Areas(
        first_area, first_block, page, area, np.where(np.isin(kind, INNER), parents[area], area), kind,
        counted, linked / counted.characters, kinds, words, parents, owners, starts, ends, size,
        ends - starts, _totals(prose, starts, ends), links / np.maximum(size, 1), under, within, lists,
    )  # fmt: skip


def _joined(lists: Iterable[list[int]]) -> Ints:
    return np.fromiter(chain.from_iterable(lists), np.int64)


def _totals(values: Ints, starts: Ints, ends: Ints) -> Ints:
    sums = np.concatenate(([0], np.cumsum(values)))
    totals: Ints = sums[ends] - sums[starts]
    return totals


def _around(words: Ints, kinds: Ints, parents: Ints) -> tuple[Ints, Ints, Ints]:
    """Words, elements and the nearest list of all areas around each, by doubling the way outwards."""
    within = np.int64(1) << kinds
    lists = np.where(np.isin(kinds, _LISTS), np.arange(len(kinds)), -1)
    outer = parents
    for _ in range(LEVELS):
        words, within = words | words[outer], within | within[outer]
        lists = np.where(lists < 0, lists[outer], lists)
        outer = outer[outer]
    return words, within, lists


def scores(of: Areas) -> Reals:
    """How much each area looks like the one that holds the article (Arc90's Readability, 2009).

    A paragraph of 25 letters or more gives 1, as many as it has commas, and 1 per 100 letters up to 3: to the
    area around it, half to the next, a 6th, 9th and 12th to those further out. Links take their share.
    """
    size, commas = of.letters.size, of.letters.counts[COMMA]
    given = np.where((size >= 25) & (of.linked < 0.5), 1 + commas + np.minimum(size // 100, 3), 0)
    points, at = np.zeros(len(of.kinds)), of.home
    for share in (1, 1 / 2, 1 / 6, 1 / 9, 1 / 12):
        inside = at != of.first_area[of.page]
        points += np.bincount(at[inside], given[inside] * share, len(of.kinds))
        at = of.parents[at]
    marks = _MARKS[of.kinds] + 25.0 * (of.words & BODY > 0) - 25.0 * (of.words & NOISE > 0)
    return np.where(points > 0, (points + marks) * (1 - of.density), 0)


def best(of: Areas, points: Reals) -> Ints:
    """The area of each page that scores best; of equals the outermost."""
    most = np.maximum.reduceat(points, of.first_area)
    found = np.flatnonzero(points >= most[of.owners])
    top = np.zeros(len(most), np.int64)
    top[of.owners[found][::-1]] = found[::-1]
    return top

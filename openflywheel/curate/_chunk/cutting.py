"""Texts to chunks, none above the budget."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.curate._chunk.counting import Counter
from openflywheel.curate._chunk.lines import LETTERS, Ints, Lines, Mask, lines_of
from openflywheel.curate._chunk.overlap import overlaps
from openflywheel.curate._chunk.packing import Text, packed
from openflywheel.curate._chunk.pieces import Pieces, pieces_of
from openflywheel.curate._chunk.sections import Sections

Span = tuple[int, int, int]

HEAD = 4  # a head that takes more than such a part of the budget is not repeated
LEAST = 5  # tokens; below, one letter might not fit


class Chunk(Struct, frozen=True):
    """A part of a text.

    row: which text. text: what it says, the first `repeated` characters of which an earlier chunk has as well
    (the overlap, a table's header or a code block's fence); without them a text's chunks are the text.
    section: the headings above it.
    """

    row: int
    text: str
    repeated: int
    tokens: int
    section: str


def cut(texts: pa.ChunkedArray, count: Counter, budget: int, overlap: int) -> list[Chunk]:
    """The chunks of all texts, in their order; each has at most `budget` tokens, counted as it stands.

    Tokens of parts are added up. Where the tokenizer gives a whole more than its parts, the text is cut again
    to seven eighths of the size, and so on. Raises SettingsError when the budget is too small for a letter.
    """
    done: dict[int, list[Chunk]] = {}
    rows, limit = np.arange(len(texts)), budget
    while len(rows):
        if limit < LEAST:
            raise SettingsError(
                f"curate.chunk: tokens = {budget} hold no letter of this tokenizer; give more"
            )
        found = _Cut(texts.take(rows), count, limit, overlap).chunks()
        fits = {
            int(rows[n]): parts for n, parts in enumerate(found) if all(p.tokens <= budget for p in parts)
        }
        done |= fits
        rows, limit = np.array([row for row in rows.tolist() if row not in fits], np.int64), limit * 7 // 8
    return [
        Chunk(row, part.text, part.repeated, part.tokens, part.section)
        for row in sorted(done)
        for part in done[row]
    ]


class _Cut:
    """All texts of a batch, cut to one limit."""

    def __init__(self, texts: pa.ChunkedArray, count: Counter, limit: int, overlap: int) -> None:
        self.size, self.count, self.limit, self.overlap = len(texts), count, limit, overlap
        self.lines: Lines = lines_of(texts)
        spans = zip(self.lines.starts[:-1].tolist(), self.lines.starts[1:].tolist(), strict=True)
        self.tokens = count([self.lines.text(*span) for span in spans])
        self.before = self._before()
        self.pieces: Pieces = pieces_of(self.lines, self.tokens, limit - self.before, count)

    def _before(self) -> Ints:
        """Tokens that are repeated before each line, should it begin a chunk."""
        sums = np.concatenate([[0], np.cumsum(self.tokens)])
        heads = sums[self.lines.head[:, 1]] - sums[self.lines.head[:, 0]]
        self.lines.head[heads * HEAD > self.limit] = 0
        return np.where(self.lines.head[:, 1] > self.lines.head[:, 0], heads, self.overlap)

    def chunks(self) -> list[list[Chunk]]:
        """The chunks of each text."""
        spans, sections = list(self._spans()), Sections(self.lines)
        texts = [self.lines.text(*self.pieces.starts[[start, end]].tolist()) for _, start, end in spans]
        repeated = self._repeated(spans, texts)
        whole = [before + text for (before, _), text in zip(repeated, texts, strict=True)]
        sizes = self._sizes(spans, np.array([tokens for _, tokens in repeated], np.int64), whole)
        found: list[list[Chunk]] = [[] for _ in range(self.size)]
        for n, (row, start, end) in enumerate(spans):
            first, last = self.pieces.line[[start, end - 1]].tolist()
            path = sections.of(first, last)
            found[row].append(Chunk(row, whole[n], len(repeated[n][0]), int(sizes[n]), path))
        return found

    def _spans(self) -> Iterator[Span]:
        """(text, first piece, end) of each chunk."""
        document = self.lines.document[self.pieces.line]
        bounds = np.searchsorted(document, np.arange(self.size + 1))
        sums, opened = np.concatenate([[0], np.cumsum(self.pieces.tokens)]), self._open()
        before = self.before[self.pieces.line]
        for row, (start, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
            part = slice(start, end)
            text = Text(sums[start : end + 1], self.pieces.border[part], opened[part], before[part])
            cuts = packed(text, self.limit)
            yield from ((row, start + a, start + b) for a, b in pairwise(cuts))

    def _open(self) -> Mask:
        """Before which pieces a text may be cut: inside a block only if that is too long for a chunk."""
        total = np.bincount(self.lines.block, self.tokens, minlength=1)
        block = self.lines.block[self.pieces.line]
        opened: Mask = np.concatenate([[True], np.diff(block) > 0]) | (
            total[block] > self.limit - self.overlap
        )
        return opened

    def _repeated(self, spans: Sequence[Span], texts: Sequence[str]) -> list[tuple[str, int]]:
        """What stands before each chunk, and its tokens."""
        repeated, bare = [("", 0)] * len(spans), []
        for n, ((row, start, _), before) in enumerate(zip(spans[1:], spans, strict=False), 1):
            line = self.pieces.line[start]
            head = self.lines.text(*self.lines.starts[self.lines.head[line]].tolist())
            if row == before[0] and head:
                repeated[n] = head, int(self.before[line])
            elif row == before[0] and self.overlap:
                bare.append(n)
        found = overlaps([texts[n - 1] for n in bare], self.overlap, self.count)
        for n, end in zip(bare, found, strict=True):
            repeated[n] = end
        return repeated

    def _sizes(self, spans: Sequence[Span], before: Ints, whole: Sequence[str]) -> Ints:
        """Tokens of each chunk: added up where that is right for sure, else counted again."""
        bounds = np.array([span[1:] for span in spans], np.int64).reshape(-1, 2)
        sizes = before + _between(self.pieces.tokens, bounds)
        sure = self.count.additive & (_between(self.pieces.border == LETTERS, bounds) == 0)
        doubtful = np.flatnonzero(~sure)
        sizes[doubtful] = self.count([whole[n] for n in doubtful.tolist()])
        return sizes


def _between(values: np.ndarray[tuple[int], np.dtype[Any]], bounds: Ints) -> Ints:
    """Sums of the values [from, to), for bounds of shape (n, 2)."""
    sums = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    between: Ints = sums[bounds[:, 1]] - sums[bounds[:, 0]]
    return between

"""The lines of a batch's texts, as places in their bytes, and what a cut before each line would break.

The blocks are CommonMark's (version 0.31: ATX and setext headings, fenced code, lists), the tables GitHub's.
Everything is found in whole columns; only fences and headings are looked at one by one.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# What a cut breaks, the worst last. 1 to 6: nothing but a document into its sections, by their level.
WHOLE, BLOCK, ITEM, LINE, SENTENCE, WORD, LONELY, LETTERS = 0, 7, 8, 9, 10, 11, 12, 13

BLANK = r"^[\s\p{Z}]*$"
HEADING = r"^ {0,3}(?P<marks>#{1,6})(?:[ \t\r\n]|$)"
UNDERLINE = r"^ {0,3}(?:={3,}|-{3,})[ \t\r]*\n?$"
FENCE = r"^ {0,3}(?P<mark>`{3,}|~{3,})(?P<rest>[^\n]*)"
ROW = r"^ {0,3}\|"
RULE = r"^ {0,3}\|[ \t]*:?-+[-:| \t]*\r?\n?$"
ENTRY = r"^\s*(?:[-*+•‣]|\d{1,9}[.)])[ \t]"


class Lines(Struct, frozen=True):
    """All n lines of all texts, line feeds included, in their order.

    data: the texts' UTF-8. starts: shape (n + 1,), bytes. document: shape (n,), which text.
    block: shape (n,), which heading, paragraph, item, table or block of code. border: shape (n,), what a cut
    before the line breaks. head: shape (n, 2), the lines [from, to) that say what the line belongs to, and so
    are repeated where it begins a chunk: a table's header, a code block's fence; from = to for none.
    level: shape (n,), of headings, else 0.
    """

    data: bytes
    starts: Ints
    document: Ints
    block: Ints
    border: NDArray[np.uint8]
    head: Ints
    level: Ints

    def text(self, start: int, end: int) -> str:
        """The text between two places."""
        return self.data[start:end].decode()


def lines_of(texts: pa.ChunkedArray) -> Lines:
    """The lines of texts without nulls."""
    data, bounds = buffer_of(texts)
    raw = np.frombuffer(data, np.uint8)
    starts = np.unique(np.concatenate([bounds, np.flatnonzero(raw == ord("\n")) + 1]))
    document = np.searchsorted(bounds, starts[:-1], "right") - 1
    lines = pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(data))
    return _Kinds(lines, document).lines(data, starts)


def buffer_of(texts: pa.ChunkedArray) -> tuple[bytes, Ints]:
    """The texts' bytes one after the other, and where each begins, shape (texts + 1,)."""
    ends = np.cumsum(pc.binary_length(texts).to_numpy().astype(np.int64))
    return "".join(texts.to_pylist()).encode(), np.concatenate([[0], ends]).astype(np.int64)


def matches(lines: pa.Array, pattern: str) -> Mask:
    """Which lines fit."""
    found: Mask = pc.match_substring_regex(lines, pattern).to_numpy(zero_copy_only=False)
    return found


def after(mask: Mask) -> Mask:
    """Whether the line before is of the mask."""
    return np.concatenate([[False], mask[:-1]]) if len(mask) else mask


def before(mask: Mask) -> Mask:
    """Whether the next line is of the mask."""
    return np.concatenate([mask[1:], [False]]) if len(mask) else mask


class _Kinds:
    """What each line is, and so where blocks begin."""

    def __init__(self, lines: pa.Array, document: Ints) -> None:
        self.document = document
        self.first = np.concatenate([[True], np.diff(document) > 0]) if len(lines) else np.empty(0, bool)
        self.fence = np.zeros(len(lines), bool)  # first lines of blocks of code
        self.close = np.zeros(len(lines), bool)  # their last lines
        self.code = np.zeros(len(lines), bool)
        for start, end in _fenced(lines, document):
            self.fence[start], self.code[start:end], self.close[end - 1] = True, True, True
        self.blank = matches(lines, BLANK) & ~self.code
        self.row = matches(lines, ROW) & ~self.code
        self.entry = matches(lines, ENTRY) & ~self.code & ~self.row
        self.rule = matches(lines, RULE) & self.row
        self.level = self._levels(lines)

    def _levels(self, lines: pa.Array) -> Ints:
        marks = pc.struct_field(pc.extract_regex(lines, HEADING), "marks")
        level = pc.fill_null(pc.utf8_length(marks), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        level[self.code] = 0
        plain = ~(self.blank | self.code | self.row | self.entry | (level > 0))
        alone = plain & (self.first | after(self.blank))
        self.under = matches(lines, UNDERLINE) & after(alone) & ~self.first & ~self.code
        titles = np.flatnonzero(before(self.under))
        level[titles] = np.where(matches(lines.take(pa.array(titles + 1)), "="), 1, 2)
        found: Ints = level
        return found

    def lines(self, data: bytes, starts: Ints) -> Lines:
        heading = self.level > 0
        titled = heading | self.under  # what follows stands under it
        begins = self.first | heading | self.fence | self.entry
        begins |= ~self.blank & ~self.under & (after(self.blank) | after(titled)) & ~self._inside_code()
        begins |= (after(self.code) & ~self.code) | (self.row != after(self.row)) & ~self.blank
        block = np.cumsum(begins) - 1
        border = np.full(len(block), LINE, np.uint8)
        border[begins] = BLOCK
        firsts = np.flatnonzero(begins)
        listed = self.entry[firsts] & after(self.entry[firsts])
        border[firsts[listed]] = ITEM
        border[firsts[after(heading[firsts])]] = border[self.close] = LONELY
        border[heading], border[self.first] = self.level[heading], WHOLE
        head = self._heads(firsts, block)
        return Lines(data, starts, self.document, block, border, head, self.level)

    def _inside_code(self) -> Mask:
        return self.code & ~self.fence

    def _heads(self, firsts: Ints, block: Ints) -> Ints:
        """A fence is a head of one line, a table's first row and the rule below it of two."""
        size = np.where(self.fence, 1, np.where(self.row & before(self.rule), 2, 0))[firsts]
        spans = np.stack([firsts, firsts + size], axis=1)[block] if len(block) else np.empty((0, 2), np.int64)
        within = np.arange(len(block)) < spans[:, 1]
        spans[within] = 0
        return spans


def _fenced(lines: pa.Array, document: Ints) -> Iterable[tuple[int, int]]:
    """(first, end) of blocks of code; one that nobody closes goes on to the end of its text."""
    places = np.flatnonzero(matches(lines, FENCE))
    found = pc.extract_regex(lines.take(pa.array(places)), FENCE).to_pylist()
    opened, mark = -1, ""
    for place, line in zip(places.tolist(), found, strict=True):
        if opened >= 0 and document[opened] != document[place]:
            yield opened, int(np.searchsorted(document, document[opened], "right"))
            opened = -1
        if opened < 0:
            if "`" not in line["rest"] or line["mark"][0] == "~":
                opened, mark = place, line["mark"]
        elif line["mark"].startswith(mark) and not line["rest"].strip():
            yield opened, place + 1
            opened = -1
    if opened >= 0:
        yield opened, int(np.searchsorted(document, document[opened], "right"))

"""What the rules look at: a passage's tokens and lines, counted for each of its texts."""

from functools import cache, cached_property
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._characters import SYMBOL, being
from openflywheel.curate._mixing import mixed
from openflywheel.curate._quality.written import spaced, written
from openflywheel.curate._tokens import Index, Mask, Passage, Tokens, joined, segments

# Unicode's property Sentence_Terminal (PropList.txt, 15.1)
TERMINAL = (
    r"!.?\x{589}\x{61D}-\x{61F}\x{6D4}\x{700}-\x{702}\x{7F9}\x{837}\x{839}\x{83D}\x{83E}\x{964}\x{965}\x{104A}"
    r"\x{104B}\x{1362}\x{1367}\x{1368}\x{166E}\x{1735}\x{1736}\x{17D4}\x{17D5}\x{1803}\x{1809}\x{1944}\x{1945}"
    r"\x{1AA8}-\x{1AAB}\x{1B5A}\x{1B5B}\x{1B5E}\x{1B5F}\x{1B7D}\x{1B7E}\x{1C3B}\x{1C3C}\x{1C7E}\x{1C7F}"
    r"\x{203C}\x{203D}\x{2047}-\x{2049}\x{2E2E}\x{2E3C}\x{2E53}\x{2E54}\x{3002}\x{A4FF}\x{A60E}\x{A60F}"
    r"\x{A6F3}\x{A6F7}\x{A876}\x{A877}\x{A8CE}\x{A8CF}\x{A92F}\x{A9C8}\x{A9C9}\x{AA5D}-\x{AA5F}\x{AAF0}\x{AAF1}"
    r"\x{ABEB}\x{FE52}\x{FE56}\x{FE57}\x{FF01}\x{FF0E}\x{FF1F}\x{FF61}\x{10A56}\x{10A57}\x{10F55}-\x{10F59}"
    r"\x{10F86}-\x{10F89}\x{11047}\x{11048}\x{110BE}-\x{110C1}\x{11141}-\x{11143}\x{111C5}\x{111C6}\x{111CD}"
    r"\x{111DE}\x{111DF}\x{11238}\x{11239}\x{1123B}\x{1123C}\x{112A9}\x{1144B}\x{1144C}\x{115C2}\x{115C3}"
    r"\x{115C9}-\x{115D7}\x{11641}\x{11642}\x{1173C}-\x{1173E}\x{11944}\x{11946}\x{11A42}\x{11A43}\x{11A9B}"
    r"\x{11A9C}\x{11C41}\x{11C42}\x{11EF7}\x{11EF8}\x{11F43}\x{11F44}\x{16A6E}\x{16A6F}\x{16AF5}\x{16B37}"
    r"\x{16B38}\x{16B44}\x{16E98}\x{1BC9F}\x{1DA88}"
)


class Spans(Struct, frozen=True, dict=True):
    """Lines or paragraphs that are not blank, in their order; every token is in one.

    doc: the text that it belongs to. starts, ends: characters. first: its first token. hashes: of its words
    and their places, so that equal ones have equal hashes.
    """

    doc: Index
    starts: Index
    ends: Index
    first: Index
    hashes: NDArray[np.uint64]

    @property
    def lengths(self) -> Index:
        """Characters."""
        return self.ends - self.starts

    @cached_property
    def again(self) -> Mask:
        """Which of them stood in the same text before."""
        return later(mixed(self.hashes + self.doc.astype(np.uint64)))


class Text:
    """A passage; what several rules need is counted once, when the first of them asks."""

    def __init__(self, passage: Passage) -> None:
        self.codes, self.bounds, self.tokens = passage.codes, passage.bounds, passage.tokens
        self.docs = len(self.bounds) - 1

    @property
    def characters(self) -> Index:
        """Of each text; at least 1, so that shares of an empty text are 0."""
        out: Index = np.maximum(np.diff(self.bounds) - 1, 1)
        return out

    @cached_property
    def doc(self) -> Index:
        """The text of each token."""
        return self.tokens.doc

    @cached_property
    def symbol(self) -> Mask:
        """Which tokens are symbols."""
        return (self.tokens.kinds & SYMBOL) > 0

    @cached_property
    def ends(self) -> Index:
        """Where each token ends."""
        return self.tokens.starts + self.tokens.lengths

    @cached_property
    def lasts(self) -> NDArray[np.uint32]:
        """The last character of each token."""
        return self.codes[self.ends - 1]

    @cached_property
    def terminal(self) -> Mask:
        """Which tokens end with what ends a sentence in some script."""
        return terminals()[self.lasts]

    @cached_property
    def chunks(self) -> Mask:
        """Which tokens have white space before them."""
        return spaced(self.tokens)

    @cached_property
    def words(self) -> Tokens:
        """Words as they are written, and the punctuation round them."""
        return written(self.codes, self.tokens)

    def total_by(self, doc: Index, values: NDArray[Any] | None = None) -> Index:
        """Sums of numbers (or how many) for each text; `doc` tells the text of each."""
        return np.bincount(doc, values, self.docs).astype(np.int64)

    @cached_property
    def newlines(self) -> Index:
        """Where lines end; each text's last line has an end of its own."""
        return np.flatnonzero(self.codes == ord("\n"))

    @cached_property
    def breaks(self) -> Index:
        """Line feeds within each text."""
        return np.diff(np.searchsorted(self.newlines, self.bounds)) - 1

    @cached_property
    def lines(self) -> Spans:
        """Lines that differ in capital letters alone have equal hashes."""
        starts = np.concatenate([[0], self.newlines[:-1] + 1])
        cuts = np.searchsorted(self.tokens.starts, np.concatenate([starts, [len(self.codes)]]))
        seen = np.flatnonzero(np.diff(cuts))
        doc = np.searchsorted(self.bounds, starts[seen], "right") - 1
        own = starts[seen]
        place = self.tokens.starts - np.repeat(own, cuts[seen + 1] - cuts[seen])
        hashes = joined(self.tokens.hashes, cuts[seen], place)
        return Spans(doc, own, self.newlines[seen], cuts[seen], hashes)

    @cached_property
    def paragraphs(self) -> Spans:
        """Lines without a blank one between them."""
        lines = self.lines
        fresh = np.ones(len(lines.doc), bool)
        fresh[1:] = (lines.doc[1:] != lines.doc[:-1]) | (lines.starts[1:] - lines.ends[:-1] > 1)
        at = np.flatnonzero(fresh)
        ends = lines.ends[np.append(at[1:], len(fresh))[: len(at)] - 1]
        return Spans(lines.doc[at], lines.starts[at], ends, lines.first[at], joined(lines.hashes, at))

    @cached_property
    def line_lasts(self) -> Index:
        """The last token of each line."""
        return np.append(self.lines.first[1:], len(self.doc))[: len(self.lines.first)] - 1

    def in_line(self, mask: Mask) -> Index:
        """How many tokens of the mask each line has."""
        return segments(mask, self.lines.first)


def later(keys: NDArray[np.uint64]) -> Mask:
    """Which keys stood before."""
    out = np.ones(len(keys), bool)
    out[np.unique(keys, return_index=True)[1]] = False
    return out


@cache
def terminals() -> Mask:
    """Which code points end a sentence."""
    return being(TERMINAL)

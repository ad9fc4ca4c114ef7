"""C4's rules (Raffel et al. 2020, arXiv:1910.10683, section 2.2), in the form that datatrove gives them."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.curate._characters import ALONE, DIGIT, among
from openflywheel.curate._quality.limits import Limits
from openflywheel.curate._quality.text import Text
from openflywheel.curate._tokens import Index, Mask, segments, tokens

QUOTES = "\"'\u2019\u201d\u300d\u300f"  # not >>, with which menus end
CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)


def c4(text: Text, limits: Limits) -> Iterator[tuple[str, Mask]]:
    """(reason, texts to drop) of each rule."""
    whole, stays = lines_kept(text, limits)
    doc = text.lines.doc
    script = text.in_line(_said(text, "javascript")) > 0
    curly = text.in_line(among("{")[text.codes[text.tokens.starts]]) > 0
    yield "c4: lorem ipsum", text.total_by(doc[whole & (text.in_line(_said(text, "lorem ipsum")) > 0)]) > 0
    yield "c4: curly bracket", text.total_by(doc[whole & ~script & curly]) > 0
    sentences = text.total_by(doc, np.where(stays, _sentences(text), 0))
    yield "c4: too few sentences", sentences < limits.sentences


def lines_kept(text: Text, limits: Limits) -> tuple[Mask, Mask]:
    """Which lines are sentences of some words; which of them speak of nothing that only web pages do."""
    words = text.in_line(text.chunks | ((text.tokens.kinds & ALONE) > 0))
    whole = _ended(text) & (words >= limits.line_words) & ~_overlong(text, limits.longest_word)
    policy = np.logical_or.reduce([text.in_line(_said(text, said)) > 0 for said in POLICIES])
    return whole, whole & ~(text.in_line(_said(text, "javascript")) > 0) & ~policy


def cleaned(text: Text, limits: Limits) -> list[str]:
    """Each text without the lines that C4 takes out and without citations."""
    stays = lines_kept(text, limits)[1]
    sizes = text.lines.lengths[stays] + 1
    begins = np.cumsum(sizes) - sizes
    places = np.arange(sizes.sum()) + np.repeat(text.lines.starts[stays] - begins, sizes)
    whole = text.codes[places].tobytes().decode("utf-32-le")
    cuts = np.concatenate([[0], np.cumsum(text.total_by(text.lines.doc[stays], sizes))]).tolist()
    return [CITATION.sub("", whole[first:last]).strip() for first, last in pairwise(cuts)]


def _overlong(text: Text, most: int) -> Mask:
    """Which lines have more than `most` characters without white space."""
    first = np.flatnonzero(text.chunks)
    long = np.zeros(len(text.doc), bool)
    long[first] = segments(text.tokens.lengths, first) > most
    return text.in_line(long) > 0


def _ended(text: Text) -> Mask:
    """Which lines end in punctuation, a citation ("[1]") after it apart, but not in an ellipsis."""
    last = text.line_lasts
    shown = np.maximum.accumulate(np.where(_citations(text), -1, np.arange(len(text.doc))))[last]
    there = shown >= text.lines.first
    shown = np.maximum(shown, 0)
    dots = (text.lasts[shown] == ord(".")) & (text.tokens.lengths[shown] >= 3)
    out: Mask = there & ~dots & (text.terminal[shown] | among(QUOTES)[text.lasts[shown]])
    return out


def _citations(text: Text) -> Mask:
    """Tokens of [1], [], [edit] and [citation needed], as Wikipedia has them."""
    codes, size = text.codes[text.tokens.starts], len(text.doc)
    opens = (codes == ord("[")) & (text.tokens.lengths == 1)
    closes = (codes == ord("]")) & (text.tokens.lengths == 1)
    out = np.zeros(size + 3, bool)
    inner = {
        1: np.ones(size, bool),
        2: (text.tokens.kinds == DIGIT) | _said(text, "edit"),
        3: _said(text, "citation needed"),
    }
    for width, within in inner.items():
        at = np.flatnonzero(opens[: max(size - width, 0)] & closes[width:])
        at = at[within[at + (width > 1)]]
        for step in range(width + 1):
            out[at + step] = True
    return out[:size]


def _said(text: Text, phrase: str) -> Mask:
    """Where the words of a phrase begin, in whatever case."""
    hashes = _hashes(phrase)
    found: Mask = text.tokens.hashes == hashes[0]
    for n, word in enumerate(hashes[1:], 1):
        found[: -n or None] &= text.tokens.hashes[n:] == word
        found[-n:] = False
    return found


@cache
def _hashes(phrase: str) -> NDArray[np.uint64]:
    return tokens(pa.array([phrase])).hashes


def _sentences(text: Text) -> Index:
    """Sentences of each line: what ends one, and a word after it, begin the next."""
    first = text.lines.first
    ends = text.terminal & text.symbol & (text.tokens.lengths == 1)
    word = ~text.symbol
    seen = np.maximum.accumulate(np.where(ends, np.arange(len(word)), -1))  # the last end so far
    said = np.maximum.accumulate(np.where(word, np.arange(len(word)), -1))  # the last word so far
    before = np.concatenate([[-1], said[:-1]])
    line = np.repeat(first, np.diff(np.append(first, len(word))))
    begins = word & (seen >= line) & (seen > before)
    return text.in_line(begins) + 1

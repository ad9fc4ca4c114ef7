"""Gopher's quality rules (Rae et al. 2021, arXiv:2112.11446, section A1.1)."""

from collections.abc import Iterator

import numpy as np

from openflywheel.curate._characters import ALONE, LETTER, SYMBOL
from openflywheel.curate._quality import stop_words
from openflywheel.curate._quality.limits import Limits
from openflywheel.curate._quality.text import Text
from openflywheel.curate._tokens import Index, Mask


def gopher(text: Text, limits: Limits, languages: Index) -> Iterator[tuple[str, Mask]]:
    """(reason, texts to drop) of each rule."""
    words, everything = text.tokens.total(~text.symbol), np.maximum(np.diff(text.words.offsets), 1)
    yield "gopher: too few words", words < limits.least_words
    yield "gopher: too many words", words > limits.most_words
    yield from _word_lengths(text, limits)
    lettered = text.words.total((text.words.kinds & (LETTER | ALONE)) > 0)
    hashes, ellipses = _counted(text, "#"), _dots(text) // 3 + _counted(text, "…")
    yield "gopher: too many hashes", text.tokens.total(hashes) / everything > limits.symbols
    yield "gopher: too many ellipses", text.tokens.total(ellipses) / everything > limits.symbols
    yield from _lines(text, limits)
    yield "gopher: too few letters", lettered / everything < limits.letters
    yield "gopher: too few stop words", stop_words.counted(text, languages) < limits.stop_words


def _word_lengths(text: Text, limits: Limits) -> Iterator[tuple[str, Mask]]:
    """Of words with spaces round them; a text that is mostly of other scripts is not judged by them."""
    kinds = text.tokens.kinds
    spaced = (kinds & (SYMBOL | ALONE)) == 0
    counts, alone = text.tokens.total(spaced), text.tokens.total((kinds & ALONE) > 0)
    means = text.tokens.total(text.tokens.lengths * spaced) / np.maximum(counts, 1)
    yield "gopher: short words", (means < limits.least_word) & (counts > alone)
    yield "gopher: long words", (means > limits.most_word) & (counts > alone)


def _lines(text: Text, limits: Limits) -> Iterator[tuple[str, Mask]]:
    lines, all_lines = text.lines, text.breaks + 1
    first = text.codes[text.tokens.starts[lines.first]]
    bullets = text.total_by(lines.doc, (first == ord("-")) | (first == ord("•")))
    last = text.line_lasts
    cut = (text.lasts[last] == ord("…")) | (_dots(text)[last] >= 3)
    yield "gopher: bullet lines", bullets / all_lines > limits.bullets
    yield "gopher: lines cut off", text.total_by(lines.doc, cut) / all_lines > limits.cut_off


def _counted(text: Text, character: str) -> Index:
    """How often each token has the character, of which it is a run if it begins with it."""
    return np.where(text.codes[text.tokens.starts] == ord(character), text.tokens.lengths, 0)


def _dots(text: Text) -> Index:
    return _counted(text, ".")

"""Gopher's repetition rules (Rae et al. 2021, arXiv:2112.11446, table A1)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from openflywheel.curate._mixing import mixed
from openflywheel.curate._quality.limits import Limits
from openflywheel.curate._quality.text import Spans, Text
from openflywheel.curate._tokens import GOLDEN, Index, Mask, Tokens


def repetition(text: Text, limits: Limits) -> Iterator[tuple[str, Mask]]:
    """(reason, texts to drop) of each rule; n-grams are of words and symbols in small letters."""
    yield from _spans(text, text.paragraphs, "paragraph", limits.paragraphs, limits.paragraph_characters)
    yield from _spans(text, text.lines, "line", limits.lines, limits.line_characters)
    words = text.words
    doc, before = words.doc, np.concatenate([[0], np.cumsum(words.lengths)])
    for n, places, hashes in repeated(words, max((*limits.top, *limits.ngrams, 1))):
        first, counts = np.unique(hashes, return_index=True, return_counts=True)[1:]
        if n in limits.top:
            at, counts = commonest(words, n, places[first], counts)
            said = text.total_by(doc[at], counts * (before[at + n] - before[at] + n - 1))
            yield f"repetition: top {n}-gram", said / text.characters > limits.top[n]
        if n in limits.ngrams:
            at = apart(np.delete(places, first), n)
            said = text.total_by(doc[at], before[at + n] - before[at])
            yield f"repetition: {n}-grams", said / text.characters > limits.ngrams[n]


def _spans(text: Text, spans: Spans, kind: str, most: float, characters: float) -> Iterator[tuple[str, Mask]]:
    again, total = text.total_by(spans.doc, spans.again), np.maximum(text.total_by(spans.doc), 1)
    yield f"repetition: {kind}s", again / total > most
    said = text.total_by(spans.doc, spans.lengths * spans.again)
    yield f"repetition: {kind} characters", said / text.characters > characters


def repeated(words: Tokens, most: int) -> Iterator[tuple[int, Index, NDArray[np.uint64]]]:
    """(n, places, hashes) of the n-grams that stand more than once in their text, n from 2 to `most`.

    An n-gram can only be there twice if its first n - 1 words are, so that each n has fewer to look at. The
    n-grams of a text are hashed with its number, so that one sort does for all texts.
    """
    doc = words.doc
    ends, places = words.offsets[doc + 1], np.arange(len(doc))
    hashes = mixed(words.hashes + doc.astype(np.uint64))
    for n in range(2, most + 1):
        fits = places + n <= ends[places]
        places, hashes = places[fits], hashes[fits]
        hashes = mixed(hashes * GOLDEN + words.hashes[places + n - 1])
        often = _often(hashes)
        places, hashes = places[often], hashes[often]
        yield n, places, hashes


def _often(hashes: NDArray[np.uint64]) -> Mask:
    """Which hashes are there more than once."""
    order = np.argsort(hashes)
    ordered = hashes[order]
    same = ordered[1:] == ordered[:-1]
    out = np.zeros(len(hashes), bool)
    out[order[1:][same]] = True
    out[order[:-1][same]] = True
    return out


def commonest(words: Tokens, n: int, first: Index, counts: Index) -> tuple[Index, Index]:
    """Where the commonest n-gram of each text stands first, and how often; of equally common ones the first.

    `first` and `counts` are those of the n-grams that stand there more than once.
    """
    begins = words.offsets[:-1][np.diff(words.offsets) >= n]
    at, counts = np.append(first, begins), np.append(counts, np.ones_like(begins))
    doc = words.doc[at]
    order = np.lexsort((-at, counts, doc))
    best = order[np.flatnonzero(np.diff(doc[order], append=len(words.offsets)))]
    return at[best], counts[best]


def apart(places: Index, n: int) -> Index:
    """Those of the n-grams at these places that do not overlap, taken from the left."""
    return places[_chain(np.searchsorted(places, places + n))]


def _chain(after: Index) -> Index:
    """0, after[0], after[after[0]] and so on to the end, in as many steps as the length has binary digits."""
    end = len(after)
    jumps, chain = np.append(after, end), np.zeros(1, np.int64)
    while chain[-1] < end:
        chain, jumps = np.concatenate([chain, jumps[chain]]), jumps[jumps]
    return chain[chain < end]

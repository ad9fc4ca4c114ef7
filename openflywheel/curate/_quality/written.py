"""Words as they are written: a link, an address or a formula is one word, as for a tokeniser like spaCy's."""

import numpy as np

from openflywheel.curate._characters import ALONE, DIGIT, LETTER, SYMBOL, Codes, among, classes
from openflywheel.curate._mixing import mixed
from openflywheel.curate._tokens import Index, Mask, Tokens, joined, segments

# Punctuation round a word; other symbols are part of it, as in /etc, -v and @user.
ROUND = (
    ".,:;!?\u00bf\u061f\u00a1()[]{}<>_#*&%=+\"'`\u00b4\u00a7\u2026\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
    "\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f\uff08\uff09\u300a\u300b\u300c\u300d\u300e\u300f\u3010\u3011\u0964\u060c\u061b\u06d4\u066a$\u20ac\u00a3\u00a5\u2022"
)
SPLITS = "-/:=<>,"  # before a letter (and/or, not 24/7); a dash between numbers, too


def written(codes: Codes, found: Tokens) -> Tokens:
    """Tokens joined to what stands between spaces, less the punctuation round it; "and/or" is three.

    A letter of a script without spaces stays a word. Of a run of punctuation each character counts, but of
    dots: rulers are repetition.
    """
    if not len(found.hashes):
        return found
    solid, chunks = _solid(codes, found)
    fresh = chunks.copy()
    fresh[1:] |= ~(solid[1:] & solid[:-1])
    words = np.flatnonzero(fresh)
    lasts = np.append(words[1:], len(fresh)) - 1
    starts = found.starts[words]
    lengths = (found.starts + found.lengths)[lasts] - starts
    kinds = np.bitwise_or.reduceat(found.kinds, words)
    whole = Tokens(np.searchsorted(words, found.offsets), joined(found.hashes, words), starts, lengths, kinds)
    return _each(codes, whole)


def _each(codes: Codes, words: Tokens) -> Tokens:
    """Runs of punctuation as their characters."""
    first = codes[words.starts]
    run = (words.kinds == SYMBOL) & among(ROUND)[first] & (first != ord("."))
    times = np.where(run, words.lengths, 1)
    ends = np.cumsum(times)
    at = np.repeat(np.arange(len(times)), times)
    place = np.arange(len(at)) - np.repeat(ends - times, times)
    return Tokens(
        np.append(0, ends)[words.offsets],
        np.where(run, mixed(first.astype(np.uint64)), words.hashes)[at],
        words.starts[at] + place,
        np.where(run, 1, words.lengths)[at],
        words.kinds[at],
    )


def _solid(codes: Codes, found: Tokens) -> tuple[Mask, Mask]:
    """Which tokens hold on to solid neighbours; which have white space before them."""
    first, symbol = codes[found.starts], (found.kinds & SYMBOL) > 0
    chunks = spaced(found)
    where, chunk = np.flatnonzero(chunks), np.cumsum(chunks) - 1
    core = ~symbol | ~among(ROUND)[first]
    cores = np.cumsum(core)
    so_far: Index = cores - (cores - core)[where][chunk]
    within = (so_far > 0) & (so_far - core < segments(core, where)[chunk])
    splits = np.zeros(len(first), bool)
    letter, dash = (classes()[first] & LETTER) > 0, first == ord("-")
    dates = dash[1:-1] & (found.kinds[:-2] == DIGIT) & (found.kinds[2:] == DIGIT)
    inside = ~(symbol[:-2] | chunks[1:-1] | chunks[2:])
    splits[1:-1] = inside & (dates | (letter[2:] & among(SPLITS)[first[1:-1]]))
    return within & ~splits & ((found.kinds & ALONE) == 0), chunks


def spaced(found: Tokens) -> Mask:
    """Which tokens have white space, or nothing, before them."""
    fresh = np.ones(len(found.starts), bool)
    fresh[1:] = found.starts[1:] > (found.starts + found.lengths)[:-1]
    return fresh

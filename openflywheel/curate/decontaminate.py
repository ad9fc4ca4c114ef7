"""Drop training rows that hold a text of a holdout: a model must not have seen what it is examined on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.curate._batches import Batch, as_table
from openflywheel.curate._holdouts import given_away, name_of, teaching
from openflywheel.curate._tokens import Tokens, tokens

SHARES, HOLDS, IS = (
    f"decontaminate: {what} the holdout" for what in ("shares words with", "holds a text of", "is a text of")
)
FACTOR = np.uint64(0x9E3779B97F4A7C15)  # of a polynomial over the hashes of words; odd
MOST_BITS, SPARSE = 22, 32  # a table of which one in 32 places is taken, as long as it fits into 4 MB

Words = NDArray[np.uint64]
Places = NDArray[np.int64]


class Runs(Struct, frozen=True):
    """Runs of words that stand in the holdout, all of one length: sorted hashes, and the text each is from.

    `there` is true at the last bits of every hash: it spares most of what is looked up the search.
    """

    hashes: Words
    texts: Places
    there: NDArray[np.bool_]


def decontaminate(
    batch: Batch, *, words: int = 13, least: int = 8, holdouts: Callable[[], Sequence[str]]
) -> pa.Table:
    """Drop rows that share a run of `words` words with a text of any holdout.

    A holdout's text with fewer words, but `least`, must stand in the row as a whole; one with fewer than that
    must be the row, word for word: a question of four words stands in many a document by chance. Words are
    compared in small letters of any script and without punctuation; 13 is the length of Brown et al. 2020
    (arXiv:2005.14165, appendix C). Rows that never teach are left alone. Reasons: "decontaminate: shares
    words with the holdout", "decontaminate: holds a text of the holdout", "decontaminate: is a text of the
    holdout"; the fact "decontaminate" names the text by its hash. `holdouts` is handed in by the wheel.
    """
    if not (words >= 1 and least >= 1):
        raise SettingsError(f"curate.decontaminate: words = {words}, least = {least}; give 1 or more")
    table = as_table(batch)
    names, known = _index(tuple(holdouts()), words)
    rows = teaching(table)
    said = tokens(table["text"].take(rows)).words()
    found = {n: _found(grams, n, said, known[n], n < min(least, words)) for n, grams in _grams(said, known)}
    for n in sorted(found, reverse=True):
        places, texts = found[n]
        reason = SHARES if n == words else IS if n < least else HOLDS
        table = given_away(table, rows[places], [names[text] for text in texts], reason)
    return table


@lru_cache(maxsize=2)
def _index(texts: tuple[str, ...], words: int) -> tuple[tuple[str, ...], Mapping[int, Runs]]:
    """Names of the texts; length -> runs of that length: of `words` words any, of fewer whole texts."""
    texts = tuple(sorted(set(texts)))
    said = tokens(pa.array(texts, pa.string())).words()
    first, sizes = said.offsets[:-1], np.diff(said.offsets)
    lengths = {n: n for n in sizes[sizes < words].tolist() if n} | {words: words}
    runs = {}
    for n, grams in _grams(said, lengths):
        places = np.flatnonzero(_left(said)[: len(grams)] >= n) if n == words else first[sizes == n]
        if len(places):
            runs[n] = _runs(grams[places], np.searchsorted(said.offsets, places, "right") - 1)
    return tuple(name_of(text) for text in texts), runs


def _runs(hashes: Words, texts: Places) -> Runs:
    hashes, firsts = np.unique(hashes, return_index=True)
    there = np.zeros(1 << min(MOST_BITS, (len(hashes) * SPARSE).bit_length()), bool)
    there[_last_bits(hashes, there)] = True
    return Runs(hashes, texts[firsts], there)


def _last_bits(hashes: Words, table: NDArray[np.bool_]) -> Words:
    return hashes & np.uint64(len(table) - 1)


def _grams(said: Tokens, lengths: Mapping[int, object]) -> Iterator[tuple[int, Words]]:
    """Each of the lengths that fits, and a hash of the run of so many words that begins at each word.

    Runs go over the ends of texts: see `_left`.
    """
    grams = said.hashes
    for n in range(1, max(lengths, default=0) + 1):
        if n in lengths:
            yield n, grams
        grams = grams[:-1] * FACTOR + said.hashes[n:]


def _left(said: Tokens) -> Places:
    """How many words each text still has from each of its words on."""
    return np.repeat(said.offsets[1:], np.diff(said.offsets)) - np.arange(len(said.hashes))


def _found(grams: Words, n: int, said: Tokens, known: Runs, alone: bool) -> tuple[Places, Places]:
    """Texts that hold one of the runs, or are one of them, and which text of the holdout that is."""
    left = _left(said)[: len(grams)]
    if alone:
        starts = said.offsets[:-1][np.diff(said.offsets) == n]
    else:
        starts = np.flatnonzero(known.there[_last_bits(grams, known.there)] & (left >= n))
    at = np.minimum(np.searchsorted(known.hashes, grams[starts]), len(known.hashes) - 1)
    same = known.hashes[at] == grams[starts]
    rows = np.searchsorted(said.offsets, starts[same], "right") - 1
    places, firsts = np.unique(rows, return_index=True)
    return places, known.texts[at[same]][firsts]

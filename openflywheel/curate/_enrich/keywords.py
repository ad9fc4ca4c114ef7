"""What a text is about, in its own words.

From the text alone, so that a document's keywords do not change with what else is in the batch: the
statistics of YAKE (Campos et al. 2020, Information Sciences 509) that are cheap in whole columns, which are
how often a word stands there and how early, and whether the title has it.
"""

import numpy as np
from numpy.typing import NDArray

from openflywheel.curate._characters import JOINER, LETTER
from openflywheel.curate._enrich.stopwords import stopwords
from openflywheel.curate._tokens import Index, Passage, Tokens

LEAST, MOST = 3, 40  # letters of a keyword
EARLY = 50  # words into a text at which having stood earlier counts half
TITLE = 2.0  # a word of the title counts so many times
HASHED = np.uint64(20)  # bits of a hash that make room for the number of its text: a passage has 2 ** 18


def keywords(passage: Passage, titles: Tokens, most: int) -> tuple[Index, Index]:
    """(texts, tokens): the best words of each text of a passage, best first, at their first place.

    titles: the tokens of the texts' titles.
    """
    words = passage.tokens
    plain = (
        (words.kinds & ~np.uint8(LETTER | JOINER) == 0) & (words.lengths >= LEAST) & (words.lengths <= MOST)
    )
    places = np.flatnonzero(plain)
    keys = _keys(words)[places]
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.concatenate([[True], np.diff(keys[order]) > 0])) if len(keys) else order
    first = places[order[begins]]
    often = np.diff(np.append(begins, len(keys)))
    known = ~among(words.hashes[first], stopwords())
    first, often = first[known], often[known]
    texts = np.searchsorted(words.offsets, first, "right") - 1
    early = 1 + EARLY / (EARLY + first - words.offsets[texts])
    titled = np.where(among(_keys(words)[first], np.sort(_keys(titles))), TITLE, 1)
    worth = np.log2(1 + often) * early * titled
    best = np.lexsort((first, -worth, texts))
    rank = np.arange(len(best)) - np.searchsorted(texts[best], texts[best])
    chosen = best[rank < most]
    return texts[chosen], first[chosen]


def _keys(words: Tokens) -> NDArray[np.uint64]:
    """A word in a text: the text's number, then 44 bits of its hash."""
    texts = np.repeat(np.arange(len(words.offsets) - 1), np.diff(words.offsets)).astype(np.uint64)
    return texts << (np.uint64(64) - HASHED) | words.hashes >> HASHED


def among(values: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which values are among those known, which are sorted."""
    if not len(known):
        return np.zeros(len(values), bool)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: NDArray[np.bool_] = known[places] == values
    return found

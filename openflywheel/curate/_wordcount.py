"""How many words each text has: those of _tokens.py, for ASCII without looking at what they are."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.curate._characters import DIGIT, LETTER, among, classes
from openflywheel.curate._nouns import whole
from openflywheel.curate._tokens import JOINS, WORD, tokens

ASCII = 128


def word_counts(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Words of each text, shape (n,); a null has none. ASCII takes a third of the time of `tokens`."""
    texts = pc.fill_null(whole(texts), "")
    plain = pc.string_is_ascii(texts)
    found = np.empty(len(texts), np.int64)
    here = plain.to_numpy(zero_copy_only=False)
    found[here] = _of_ascii(texts.filter(plain))
    found[~here] = np.diff(tokens(texts.filter(pc.invert(plain))).words().offsets)
    return found


def _of_ascii(texts: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    ends = np.cumsum(pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64) + 1)
    codes = np.frombuffer("\n".join(("", *texts.to_pylist(), "")).encode(), np.uint8)
    kinds = classes()[:ASCII][codes]
    in_word = (kinds & WORD) > 0
    places = np.flatnonzero(among(JOINS)[:ASCII][codes])
    before, after = kinds[places - 1], kinds[places + 1]
    joins = ((before & (LETTER | DIGIT)) > 0) & ((after & (LETTER | DIGIT)) > 0)
    joins &= (codes[places] != ord(",")) | ((before & after & DIGIT) > 0)
    in_word[places] |= joins
    begun = np.flatnonzero(in_word[1:] & ~in_word[:-1])  # in front of the first text stands a line feed
    return np.diff(np.searchsorted(begun, np.concatenate([[0], ends])))

"""Language identification of whole batches: the model of py3langid, walked through all texts at once.

langid.py (Lui & Baldwin 2012, P12-3005) is naive Bayes on byte n-grams that an automaton finds. py3langid
walks it byte by byte in Python. Here texts are cut into pieces that walk side by side: where the automaton
stands depends on its last `MEMORY` bytes alone, so a piece starts these early. The answers are those of
py3langid on the whole text, 3.6 times as fast (`python -m benchmarks.curate --only steps`).
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

MEMORY = 6  # bytes of the longest n-gram of the model
PIECE = 64  # bytes
AT_ONCE = 1 << 21  # bytes of the texts that walk together; each costs 10 more meanwhile

Index = NDArray[np.int64]


class Model(Struct, frozen=True):
    """The automaton (states x 256 next states, row by row), the n-gram that each state ends, and the weights.

    `features` is -1 for states that end none; `weights` has shape (n-grams, languages).
    """

    languages: tuple[str, ...]
    moves: NDArray[np.uint32]
    rows: Index
    features: NDArray[np.int32]
    weights: NDArray[np.float32]
    prior: NDArray[np.float32]


@cache
def model() -> Model:
    """The model that py3langid ships, opened once a process (2 s, 70 MB)."""
    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return Model(
        languages=tuple(found.nb_classes),
        moves=np.asarray(found.tk_nextmove),
        rows=np.asarray(found.tk_row, np.int64) * 256,
        features=np.asarray(found.tk_output, np.int32),
        weights=found.nb_ptc.astype(np.float32),  # shipped in halves, which cost .35 in place of .21 CPU-s
        prior=found.nb_pc,
    )


def languages() -> tuple[str, ...]:
    """The codes that the model knows (ISO 639), in alphabetical order."""
    return tuple(sorted(set(model().languages)))


def identified(texts: pa.ChunkedArray) -> tuple[list[str], NDArray[np.float32]]:
    """The likeliest language of each text, and its probability."""
    big = pc.if_else(pc.utf8_is_upper(texts), pc.utf8_lower(texts), texts)
    plain = pc.utf8_normalize(big, form="NFC").cast(pa.large_string()).combine_chunks()
    sizes = np.maximum(pc.binary_length(plain).to_numpy(), 1)
    scores = np.array([_score(features) for features in _walked(plain)], np.float32)
    scores = scores.reshape(len(plain), len(model().languages)) / np.sqrt(sizes, dtype=np.float32)[:, None]
    shares = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    names, place = np.unique(model().languages, return_inverse=True)  # two scripts of a language are one
    chances = np.zeros((len(plain), len(names)), np.float32)
    np.add.at(chances.T, place, (shares / shares.sum(axis=1, keepdims=True)).T)
    best = chances.argmax(axis=1)
    return names[best].tolist(), chances[np.arange(len(best)), best]


def _score(features: NDArray[np.int32]) -> NDArray[np.float32]:
    """Log-posterior of every language, shape (languages,); 0 for all where no n-gram was found."""
    if not len(features):
        return np.zeros(len(model().languages), np.float32)
    found, counts = np.unique(features, return_counts=True)
    out: NDArray[np.float32] = np.log1p(counts.astype(np.float32)) @ model().weights[found] + model().prior
    return out


def _walked(texts: pa.Array) -> Iterator[NDArray[np.int32]]:
    """The n-grams found in each text, as often as they are there."""
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    first = 0
    while first < len(texts):
        last = max(first + 1, int(np.searchsorted(offsets, offsets[first] + AT_ONCE, "right")) - 1)
        pieces = -(-np.diff(offsets[first : last + 1]) // PIECE)
        found = _side_by_side(content, offsets[first : last + 1], pieces)
        ends = np.cumsum(pieces)
        for begin, end in zip(ends - pieces, ends, strict=True):
            mine = found[begin:end].ravel()
            yield mine[mine >= 0]
        first = last


def _side_by_side(content: NDArray[np.uint8], offsets: Index, pieces: Index) -> NDArray[np.int32]:
    """What each piece of the texts finds at each of its bytes, -1 for nothing; shape (pieces, PIECE)."""
    known = model()
    starts, ends = np.repeat(offsets[:-1], pieces), np.repeat(offsets[1:], pieces)
    number = np.arange(len(starts)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begins = starts + number * PIECE
    found = np.full((PIECE, len(starts)), -1, np.int32)
    state = np.zeros(len(starts), np.uint32)
    for step in range(-MEMORY, PIECE):
        at = begins + step
        there = (at >= starts) & (at < ends)
        letters = content[np.where(there, at, starts)]
        state = np.where(there, known.moves[known.rows[state] + letters], state)
        if step >= 0:
            found[step] = np.where(there, known.features[state], -1)
    return np.ascontiguousarray(found.T)

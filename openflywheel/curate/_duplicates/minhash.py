"""Texts that share most of their shingles: MinHash signatures in bands, then the exact Jaccard similarity.

A shingle is a run of words (Broder 1997); the ends of a text count as words, so that every word is in
equally many shingles, wherever it stands. The share of places at which two signatures agree is an unbiased
estimate of their sets' Jaccard similarity. Signatures are cut into bands, and texts with one band in common
are candidates (Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter 3). Of the candidates the
sets themselves are compared, so a wrong pair costs time and no text.
"""

from functools import cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from rensa import RMinHash

from openflywheel.curate._mixing import mixed
from openflywheel.curate._tokens import tokens

SLOTS = 128  # of a signature: the estimate's standard deviation at .8 is .035
FOUND = 0.98  # of the pairs that are just similar enough, the share that must have a band in common
SEED = 0
AT_ONCE = 1 << 21  # hashes compared together: some 50 MB
STEP = np.uint64(0x9E3779B97F4A7C15)  # odd, so that powers of it lose no bit
HALF = np.uint64(32)

Lists: TypeAlias = pa.ListArray | pa.ChunkedArray


def sketches(
    texts: pa.Array | pa.ChunkedArray, *, similarity: float, shingle: int
) -> tuple[pa.ListArray, pa.ListArray]:
    """(keys, shingles) of every text: lists of uint64 for `candidates` and of uint32 for `near`.

    A text without words has none of either.
    """
    found = shingles(texts, shingle)
    return keys(found, similarity), found


def keys(sets: pa.ListArray, similarity: float) -> pa.ListArray:
    """Of every set of shingles one key a band, list of uint64; of an empty set none."""
    rows = band_rows(similarity)
    some = np.diff(sets.offsets) > 0
    offsets = np.concatenate([[0], np.cumsum(some * (SLOTS // rows))])
    return pa.ListArray.from_arrays(offsets.astype(np.int32), _bands(_signatures(sets), rows)[some].ravel())


def shingles(texts: pa.Array | pa.ChunkedArray, size: int) -> pa.ListArray:
    """The set of every text's shingles of `size` words: hashes, ascending, list of uint32.

    A text of n words has up to n + size - 1. Two sets of 1,000 share a hash by chance once in 4,000 times.
    """
    words = tokens(texts).words()
    counts = np.diff(words.offsets)
    ends = size - 1  # hashes of 0 between the texts stand for the ends of both
    padded = np.zeros(len(words.hashes) + ends * (len(counts) + 1), np.uint64)
    text_of = np.repeat(np.arange(len(counts)), counts)
    padded[np.arange(len(text_of)) + ends * (text_of + 1)] = words.hashes
    runs = padded[: len(padded) - ends].copy()
    for place in range(1, size):
        runs *= STEP
        runs += padded[place : place + len(runs)]
    worded = np.repeat(counts > 0, counts + ends)
    return _sets(_upper(mixed(runs))[worded], np.where(counts > 0, counts + ends, 0))


def _upper(hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    return (hashes >> HALF).astype(np.uint32)


def _sets(hashes: NDArray[np.uint32], sizes: NDArray[np.int64]) -> pa.ListArray:
    """Each text's hashes sorted and once; text by text, which costs half of one sort for all."""
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    for first, last in pairwise(offsets.tolist()):
        hashes[first:last].sort()
    fresh = np.ones(len(hashes), bool)
    fresh[1:] = hashes[1:] != hashes[:-1]
    fresh[offsets[:-1][sizes > 0]] = True
    before = np.concatenate([[0], np.cumsum(fresh)])
    return pa.ListArray.from_arrays(before[offsets].astype(np.int32), hashes[fresh])


@cache
def band_rows(similarity: float) -> int:
    """Slots in a band: as many as still find `FOUND` of the pairs of that very similarity, at least one.

    Of pairs of similarity s, those with a band in common are 1 - (1 - s ** rows) ** bands.
    """
    finds = (1 - (1 - similarity**rows) ** (SLOTS // rows) for rows in range(1, SLOTS + 1))
    return max((rows for rows, share in enumerate(finds, 1) if share >= FOUND), default=1)


def _signatures(sets: pa.ListArray) -> NDArray[np.uint32]:
    """Shape (texts, SLOTS).

    rensa's cost 2 to 8 times less than 128 permutations in numpy, and deviate no more: at J = .8 by .025
    (100 shingles), .034 (1,500) against .035. They are equal on every kernel and whatever shares the batch.
    """
    hashes = mixed(sets.values.to_numpy().astype(np.uint64))
    offsets = sets.offsets.to_numpy().astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, SLOTS, SEED)
    return np.array(matrix.to_rows(), np.uint32).reshape(-1, SLOTS)


def _bands(signatures: NDArray[np.uint32], rows: int) -> NDArray[np.uint64]:
    """One key a band, shape (texts, bands); bands of different numbers have no key in common."""
    bands = SLOTS // rows
    cut = signatures[:, : bands * rows].astype(np.uint64).reshape(-1, bands, rows)
    out = np.broadcast_to(np.arange(bands, dtype=np.uint64), cut.shape[:2])
    for row in range(rows):
        out = mixed(out * STEP + cut[:, :, row])
    return out


def near(left: Lists, right: Lists, similarity: float) -> NDArray[np.bool_]:
    """Which pairs of sets have a Jaccard similarity of at least that, shape (n,); an empty set has none."""
    a, b = (pc.list_value_length(s).to_numpy(zero_copy_only=False).astype(np.int64) for s in (left, right))
    may = np.flatnonzero(np.minimum(a, b) >= np.maximum(similarity * np.maximum(a, b), 1))
    out = np.zeros(len(a), bool)
    ends = np.flatnonzero(np.diff(np.cumsum((a + b)[may]) // AT_ONCE)) + 1
    for part in np.split(may, ends):
        common = _common(left.take(part), right.take(part))
        out[part] = common / (a[part] + b[part] - common) >= similarity
    return out


def _common(left: Lists, right: Lists) -> NDArray[np.int64]:
    """How many hashes each pair of sets shares."""
    here, there = _numbered(left), _numbered(right)
    both = np.concatenate([here, there])
    both.sort(kind="stable")  # two ascending runs: merged, not sorted
    shared = both[1:][both[1:] == both[:-1]] >> HALF
    return np.bincount(shared.astype(np.int64), minlength=len(left))


def _numbered(sets: Lists) -> NDArray[np.uint64]:
    """Every hash with its pair's number above it, ascending."""
    values = pc.list_flatten(sets).to_numpy(zero_copy_only=False)
    pairs = pc.list_parent_indices(sets)
    pairs = pairs.to_numpy(zero_copy_only=False).astype(np.uint64)
    return np.asarray(pairs << HALF | values)

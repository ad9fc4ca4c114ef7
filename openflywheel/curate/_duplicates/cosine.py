"""Vectors that point almost the same way: signs of random projections, then the exact cosine.

Two vectors at an angle of t lie on one side of a random plane with the probability 1 - t / pi (Charikar
2002, Similarity estimation techniques from rounding algorithms). The sides of several planes make a key;
vectors with one of `TABLES` keys in common are candidates. No plane depends on the data, so old keys hold
for new rows.
"""

from functools import cache
from math import acos, log, pi

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.curate._mixing import mixed

TABLES = 24  # keys of a vector
FOUND = 0.95  # of the pairs at just the similarity asked for, the share that must have a key in common
SEED = 0
FINE, ROUGH = 1024, 16  # vectors and planes in whole numbers, so that their products are exact on any machine


def keys(vectors: NDArray[np.float32], similarity: float) -> NDArray[np.uint64]:
    """Keys of unit vectors of shape (n, width); shape (n, TABLES)."""
    size = signs(similarity)
    sides = np.rint(vectors * FINE).astype(np.float32) @ _planes(vectors.shape[1], TABLES * size) >= 0
    bits = sides.reshape(-1, TABLES, size) @ (np.uint64(1) << np.arange(size, dtype=np.uint64))
    return mixed(bits | np.arange(TABLES, dtype=np.uint64) << np.uint64(size))


def signs(similarity: float) -> int:
    """Planes to a key, 1 to 48: as many as still find `FOUND` of the pairs of that very cosine."""
    together = 1 - acos(similarity) / pi
    least = 1 - (1 - FOUND) ** (1 / TABLES)
    return 48 if together == 1 else max(1, min(48, int(log(least) / log(together))))


@cache
def _planes(width: int, count: int) -> NDArray[np.float32]:
    """Normals of random planes, shape (width, count). RandomState draws the same in every version."""
    normals = np.random.RandomState(SEED).standard_normal((width, count))
    return np.rint(normals * ROUGH).astype(np.float32)


def alike(
    left: pa.ChunkedArray | pa.Array, right: pa.ChunkedArray | pa.Array, similarity: float
) -> NDArray[np.bool_]:
    """Which pairs of unit vectors (lists of float16) have at least that cosine, shape (n,)."""
    products = np.einsum("ij,ij->i", matrix(left), matrix(right))
    return np.asarray(products >= similarity)


def matrix(vectors: pa.ChunkedArray | pa.Array) -> NDArray[np.float32]:
    """Lists of one length as an array of shape (n, width)."""
    flat = pc.list_flatten(vectors).to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(len(vectors), -1)

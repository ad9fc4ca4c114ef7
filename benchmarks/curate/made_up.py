"""Documents made of drawn words: any number of them, the same ones every time, some near another one."""

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

WORDS = 120  # of a document
VOCABULARY = 20_000
STOP_WORDS = (
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "that",
    "for",
    "with",
    "as",
    "was",
    "on",
    "are",
    "by",
    "this",
)
SENTENCE = 12  # words
NEAR = 20  # every so-manieth document is near the one `BACK` before it: two words are others
COPY = 100  # and every so-manieth of all is its copy
BACK = 10
BLOCK = 10_000  # documents of a file
SYLLABLES = (
    "ba",
    "re",
    "mi",
    "to",
    "lun",
    "ka",
    "ven",
    "sol",
    "di",
    "par",
    "gen",
    "tu",
    "mor",
    "fi",
    "cal",
    "hes",
)


@cache
def _vocabulary() -> pa.Array:
    """Every word as it is, with a full stop, and with a full stop and the end of a line."""
    made = [
        "".join(SYLLABLES[(n * 7919 >> shift) % len(SYLLABLES)] for shift in (0, 4, 8)) + SYLLABLES[n // 4096]
        for n in range(VOCABULARY - len(STOP_WORDS))
    ]
    words = [*STOP_WORDS, *made]
    return pa.array([*words, *(f"{w}." for w in words), *(f"{w}.\n" for w in words)])


def drawn(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A random 64-bit number for each number (splitmix64, Steele et al. 2014)."""
    numbers = numbers * np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def texts(start: int, count: int, length: int = WORDS) -> pa.Array:
    """The documents number `start` and following, of `length` words (more than 90)."""
    number = np.arange(start, start + count, dtype=np.uint64)
    near, copy = number % NEAR == NEAR - 1, number % COPY == COPY - 1
    like = np.where(near | copy, number - np.uint64(BACK), number)
    place = np.arange(length, dtype=np.uint64)
    chance = drawn(like[:, None] * np.uint64(length) + place)
    common = chance % np.uint64(4) == 0
    words = np.where(
        common, (chance >> np.uint64(8)) % len(STOP_WORDS), (chance >> np.uint64(8)) % VOCABULARY
    )
    other = (near & ~copy)[:, None] & np.isin(place, (30, 90))
    words = np.where(other, drawn(number)[:, None] % VOCABULARY, words)
    ends = (place % SENTENCE == SENTENCE - 1).astype(np.uint64) + (place % (SENTENCE * 4) == SENTENCE * 4 - 1)
    picked = _vocabulary().take(pa.array((words + ends * np.uint64(VOCABULARY)).ravel()))
    offsets = np.arange(0, count * length + 1, length, dtype=np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(offsets, picked), " ")


def table(start: int, count: int) -> pa.Table:
    """The documents with their ids; the later ones are newer."""
    number = np.arange(start, start + count)
    ids = pc.binary_join_element_wise("document", pc.cast(pa.array(number), pa.string()), "-")
    return pa.table({
        "id": ids, "at": number.astype(np.float64), "text": texts(start, count),
        "uri": ids, "source": pa.array(["made up"] * count),
    })  # fmt: skip


def written(folder: Path, start: int, count: int) -> Path:
    """The documents as Parquet files of `BLOCK` each."""
    folder.mkdir(parents=True)
    for first in range(start, start + count, BLOCK):
        pq.write_table(table(first, min(BLOCK, start + count - first)), folder / f"{first:012d}.parquet")
    return folder

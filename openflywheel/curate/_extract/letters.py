"""What kinds of characters the blocks are made of, counted in numpy over all of them at once."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

COMMA, END, DIGIT, SPACE, UPPER, DENSE = range(1, 7)
# ASCII, then those of Chinese and Japanese, Arabic, Devanagari, Armenian
_SAID = (
    (COMMA, ",;\u3001\uff0c\uff1b\u060c"),
    (END, ".!?\u2026\u3002\uff01\uff1f\u061f\u0964\u0589"),
    (SPACE, " \n\t\xa0\u3000"),
)
_SCRIPTS = ((0x0E00, 0x0F00), (0x3040, 0x3100), (0x3400, 0xA000), (0xAC00, 0xD7B0))  # Thai to Hangul


class Letters(Struct, frozen=True):
    """Per block: its characters, how many there are of each class, and the class of the last one.

    `size` is its length as in an alphabet: a character of a dense script (Chinese, Japanese, Korean, Thai)
    counts three.
    """

    characters: NDArray[np.int64]
    counts: NDArray[np.int64]  # [7, blocks]
    size: NDArray[np.int64]
    last: NDArray[np.uint8]


def letters(texts: Sequence[str]) -> Letters:
    """Count the characters of texts, none of them empty."""
    characters = np.fromiter(map(len, texts), np.int64, len(texts))
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _classes()[np.minimum(codes, 0xFFFF)]
    bounds = np.concatenate(([0], np.cumsum(characters)))
    counts = np.zeros((7, len(texts)), np.int64)
    for kind in range(1, 7):
        counts[kind] = np.diff(np.searchsorted(np.flatnonzero(kinds == kind), bounds))
    return Letters(characters, counts, characters + 2 * counts[DENSE], kinds[bounds[1:] - 1])


@cache
def _classes() -> NDArray[np.uint8]:
    """The class of each character of the basic plane."""
    table = np.zeros(0x10000, np.uint8)
    for start, end in _SCRIPTS:
        table[start:end] = DENSE
    table[[n for n in range(0x3000) if chr(n).isupper()]] = UPPER
    table[[n for n in range(0x3000) if chr(n).isdigit()]] = DIGIT
    for kind, said in _SAID:
        table[[ord(character) for character in said]] = kind
    return table

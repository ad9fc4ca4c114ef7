"""Tables over all code points, made once a process by Arrow's own Unicode: classes, small letters."""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# Classes, one bit each; white space, controls and format characters have none.
LETTER, DIGIT, JOINER, ALONE, SYMBOL, MARK = (np.uint8(1 << n) for n in range(6))

CODES = 0x110000
TABLED = 0x20000  # what lies beyond are ideographs, from 0xE0000 on marks, then private use
SURROGATES = slice(0xD800, 0xE000)  # no text has them
WITHOUT_SPACES = (
    r"\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Ahom}"
)

Codes = NDArray[np.uint32]


def codes_of(text: str) -> Codes:
    """The code points of a text, shape (characters,)."""
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


@cache
def _characters() -> pa.Array:
    """The characters up to `TABLED`, at the places of their codes, a surrogate as a space."""
    codes = np.arange(TABLED, dtype="<u4")
    codes[SURROGATES] = ord(" ")
    return pa.array(list(codes.tobytes().decode("utf-32-le")), pa.string())


def being(characters: str) -> NDArray[np.bool_]:
    """Which code points RE2 finds in [characters], such as r"\\p{L}"; shape (CODES,), none past `TABLED`."""
    out = np.zeros(CODES, bool)
    found = pc.match_substring_regex(_characters(), f"[{characters}]")
    out[:TABLED] = found.to_numpy(zero_copy_only=False)
    return out


@cache
def classes() -> NDArray[np.uint8]:
    """The class of every code point; a later line wins."""
    table = np.full(CODES, SYMBOL, np.uint8)
    table[being(r"\p{L}")] = LETTER
    table[being(WITHOUT_SPACES) & being(r"\p{L}\p{Nl}")] = ALONE
    table[TABLED:0xE0000] = ALONE
    table[being(r"\p{Nd}")] = DIGIT
    table[being(r"\p{M}")] = table[0xE0000:0xF0000] = MARK
    table[being(r"\p{Z}\p{Cc}\p{Cf}")] = 0
    return table


@cache
def small() -> Codes:
    """The small letter of every code point; upper, then lower joins what has two (the Greek final sigma)."""
    table = np.arange(CODES, dtype=np.uint32)
    letters = pc.utf8_lower(pc.utf8_upper(_characters()))
    table[:TABLED] = codes_of("".join(letters.to_pylist()))
    return table


@cache
def among(characters: str) -> NDArray[np.bool_]:
    """Which code points are one of these characters, shape (CODES,)."""
    table = np.zeros(CODES, bool)
    table[codes_of(characters)] = True
    return table

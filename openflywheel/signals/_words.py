"""Words of a text, as listeners compare them."""

import re

WORD = re.compile(r"\w+")
MOST = 2_000  # words of a text that are looked at: bounds the work


def words_of(text: str) -> list[str]:
    """The first `MOST` words of a text, without case or punctuation."""
    return [found[0].casefold() for found, _ in zip(WORD.finditer(text), range(MOST), strict=False)]

"""Special tokens: what structures a chat for a language model, and must not stand in what people write."""

import re
from collections.abc import Iterable

Special = re.Pattern[str]


def special(names: Iterable[str]) -> Special:
    """Finds special tokens in a text, of two that begin alike the longer one; without names it finds none."""
    longest = sorted(filter(None, names), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest)) or "(?!)")


def without(text: str, found: Special) -> str:
    """A text with a blank for each special token: none can end its message, or begin another's.

    A blank, since two halves that came together might be one.
    """
    return found.sub(" ", text)

"""A page's bytes as markup fit for the parser: decoded, without what would take it minutes or gigabytes.

lexbor follows the HTML standard, whose rules are quadratic in some places: 100,000 nested <div> or attributes
of one tag take 20 seconds, 49 KB of unclosed <font> and <p> 1.6 GB. No real page loses more than its end.
"""

import re

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.instruments.html import LONGEST_TAG, decoded, has_gap

MOST_BYTES = 5_000_000
DEEPEST = 512  # elements in one another, as in Chromium
FEW_TAGS = 512  # so few nest no deeper than they may
MOST_OPEN = 64  # formatting elements open at once: each is opened again in every paragraph
MOST_ROOTS = 4  # <html> and <body> tags: each one's attributes are added to the first one's

_TAIL = rf"(?=[\s/>])[^>]{{0,{LONGEST_TAG}}}>"  # bounded: 30,000 tags that never end took 67 s
# Its elements are opened again in every paragraph until they are closed; text and links need none of them.
_FORMATTING = re.compile(
    rf"</?(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u){_TAIL}", re.ASCII | re.IGNORECASE
)
_ROOTS = re.compile(rf"<(?:html|body){_TAIL}", re.ASCII | re.IGNORECASE)
_SCRIPT = re.compile(r"<(?=/?script)", re.IGNORECASE)
_ANY = re.compile(rf"<[^<>]{{0,{LONGEST_TAG}}}>")
_LONG = re.compile(rf"<[a-zA-Z/][^<]{{{LONGEST_TAG},}}")
# A tag without any of the errors that parsers mend, so that it surely ends where it seems to.
_WHOLE = re.compile(
    r"""<[a-zA-Z][\w-]*+(?:\s++[\w:@.-]++(?:=(?:"[^"]*+"|'[^']*+'|[\w.:/-]++))?+)*+\s*+/?>""", re.ASCII
)
_NOTHING = "<wbr>"  # an element that is empty wherever it stands
# By the first two letters of their names: elements that end by themselves, so never nest; and formatting.
_FLAT = "p> p_ p* li br hr im in me wb td tr th dt dd op co so ar".replace("_", " ")
_FORMATS = "b> b_ b* bi em fo i> i_ i* no s> s_ s* sm st tt u> u_ u*".replace("_", " ")


def _table(starts: str) -> NDArray[np.int8]:
    table = np.zeros(1 << 16, np.int8)
    table[[ord(starts[at]) << 8 | ord(starts[at + 1]) for at in range(0, len(starts), 3)]] = 1
    return table


_OPENS = _table(_FORMATS)
_NESTS = 1 - _table(_FLAT)
_NESTS[: ord("a") << 8] = 0  # comments, ends of the text
_NESTS[ord("{") << 8 :] = 0


def markup(body: bytes) -> str:
    """The text of a page's source: at most 5 MB of it, at most 512 elements deep."""
    return _bounded(decoded(body[:MOST_BYTES]))


def _bounded(text: str) -> str:
    tags = text.count("<")
    if has_gap(text):
        text = _LONG.sub(_ended, text)
    if len(_ROOTS.findall(text)) > MOST_ROOTS:
        text = _ROOTS.sub(_NOTHING, text)
    return _shallow(text) if tags > FEW_TAGS else text


def _shallow(text: str) -> str:
    """Where it is too deep: without formatting and scripts, and as plain text from there on."""
    names, signs = _tags(text)
    if _open(_OPENS[names] * signs).max() <= MOST_OPEN and _open(_NESTS[names] * signs).max() <= DEEPEST:
        return text
    text = _FORMATTING.sub(_NOTHING, _without_scripts(text))  # "i<n" in a script looks like a tag
    names, signs = _tags(text)
    deep = np.flatnonzero(_open(_NESTS[names] * signs) > DEEPEST)
    pieces = text.split("<", int(deep[0]) + 1) if len(deep) else [text]
    return "<".join(pieces[:-1]) + _ANY.sub(" ", "<" + pieces[-1]) if len(deep) else text


def _tags(text: str) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """The first two letters of each tag's name, in lower case, and 1 where it begins, -1 where it ends."""
    source = np.frombuffer(text.encode("utf-8", "replace") + b"<  ", np.uint8)
    at = np.flatnonzero(source == ord("<"))[:-1] + 1
    ends = source[at] == ord("/")
    at += ends
    letters = (source | 0x20).astype(np.uint16)
    return letters[at] << np.uint16(8) | letters[at + 1], np.where(ends, -1, 1)


def _open(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many are open after each step; the end of what never began counts nothing."""
    total = np.cumsum(steps)
    return total - np.minimum.accumulate(np.minimum(total, 0))


def _without_scripts(text: str) -> str:
    """Each from its start to its end; the pieces in between are found in one pass."""
    pieces = _SCRIPT.split(text)
    return "<".join(piece for piece in pieces if piece[:6].lower() != "script")


def _ended(found: re.Match[str]) -> str:
    """A tag that is too long, ended every so often; what follows a whole tag stays (a script)."""
    piece = found[0]
    tag = _WHOLE.match(piece)
    if tag and tag.end() < LONGEST_TAG:
        return piece
    starts = range(0, len(piece), LONGEST_TAG - len(_NOTHING))
    return _NOTHING.join(piece[at : at + LONGEST_TAG - len(_NOTHING)] for at in starts)

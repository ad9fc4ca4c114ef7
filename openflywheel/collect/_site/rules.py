"""The lines of a robots.txt, and how its patterns match (RFC 9309 sections 2.1 and 2.2).

Read as octets: a character here is one octet (Latin-1), since files come in any encoding.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from openflywheel.collect._site.urls import encoded

MOST_BYTES = 500 * 1024  # RFC 9309 section 2.5: at least 500 KiB
LONGEST_LINE = 2083 * 8 - 1  # octets, as in Google's parser; the rest of a longer line is cut off

_BOM = "\xef\xbb\xbf"
_BLANK = " \t\v\f"
_ENDS = re.compile(r"\r\n|\r|\n")
_TWO_WORDS = re.compile(r"([^ \t]+)[ \t]+([^ \t]+)")
_ESCAPES = re.compile(r"%[0-9a-fA-F]{2}|[\x80-\xff]")
_PATH = re.compile(r"(?:[^/?;#]*://|//)?[^/?;#]*([/?;][^#]*)?", re.DOTALL)
_SPELLINGS = {
    "useragent": "user-agent",
    "user agent": "user-agent",
    "dissallow": "disallow",
    "dissalow": "disallow",
    "disalow": "disallow",
    "diasllow": "disallow",
    "disallaw": "disallow",
    "site-map": "sitemap",
}


class Line(NamedTuple):
    """A line that says something: its number from 1, its key in lower case, its value."""

    number: int
    key: str
    value: str


class Rule(NamedTuple):
    """An allow or disallow line: its pattern as written (escaped), and as the RFC reads it.

    `start` is the pattern up to its first star or dollar: most paths are done with after it.
    """

    path: str
    plain: str
    allow: bool
    line: int
    start: str

    def binds(self, path: str, plain: str) -> bool:
        """Does it speak of this path, given as written and as the RFC reads it?

        By the RFC %62 is b, in Google's test vectors it is not. Where the two readings differ, a disallow
        binds by either and an allow only by both.
        """
        if self.path == self.plain and path == plain:
            return path.startswith(self.start) and matches(self.path, path)
        written = matches(self.path, path)
        return (
            (matches(self.plain, plain) and written)
            if self.allow
            else (matches(self.plain, plain) or written)
        )


def lines(body: bytes) -> Iterator[Line]:
    """The lines with a key and a value of the first 500 KiB; comments, blanks and a byte order mark go."""
    text = body[:MOST_BYTES].decode("latin-1")
    for mark in _BOM:
        text = text.removeprefix(mark) if text[:1] == mark else text
    for number, line in enumerate(_ENDS.split(text), start=1):
        said = line[:LONGEST_LINE].partition("#")[0].strip(_BLANK)
        key, colon, value = said.partition(":")
        words = None if colon else _TWO_WORDS.fullmatch(said)  # "disallow /" means what it says
        if words:
            key, value = words.groups()
        if colon or words:
            key = key.strip(_BLANK).lower()
            yield Line(number, _SPELLINGS.get(key, key), value.strip(_BLANK))


def rules(line: Line) -> Iterator[Rule]:
    """What an allow or disallow line says; an allowed /a/index.html is an allowed /a/, as for Google."""
    allow = line.key == "allow"
    path = escaped(line.value)
    paths = (
        [path, path.removesuffix("index.html") + "$"] if allow and path.endswith("/index.html") else [path]
    )
    return (Rule(p, encoded(p), allow, line.number, re.split(r"[*$]", p)[0]) for p in paths if path)


def escaped(pattern: str) -> str:
    """Octets beyond ASCII as %XX, and hexadecimals in upper case."""
    return _ESCAPES.sub(lambda m: m[0].upper() if m[0][0] == "%" else f"%{ord(m[0]):02X}", pattern)


def path_of(url: str) -> str:
    """What rules are matched with: path, parameters and query of a URL, "/" at the least."""
    found = _PATH.match(url)
    path = (found and found[1]) or "/"
    return path if path[0] == "/" else f"/{path}"


def matches(pattern: str, path: str) -> bool:
    """Does a pattern match the beginning of a path? `*` is anything, a `$` at the end is the path's end.

    Each piece between stars is found as early as it can be: linear, where a regular expression of many
    stars would take exponential time.
    """
    ends = pattern.endswith("$")
    first, *pieces = (pattern[:-1] if ends else pattern).split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    if not pieces:
        return not ends or at == len(path)
    last = pieces.pop()
    for piece in pieces:
        at = path.find(piece, at) + len(piece)
        if at < len(piece):
            return False
    return at + len(last) <= len(path) and path.endswith(last) if ends else path.find(last, at) >= 0

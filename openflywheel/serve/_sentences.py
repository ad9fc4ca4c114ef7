"""A document cut into what can be quoted: sentences, list items, what stands under a question or a colon.

Rules alone, for several scripts, with the cases that mislead in help pages and documentation: abbreviations,
initials, wrapped lines, lists without full stops.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence

from msgspec import Struct

LONGEST = 400  # characters of a quote's part; what is longer is cut between words
SHORTEST = 8  # characters; less says nothing by itself ("Yes.", "Visa")
WRAPPED = 50  # characters from which on a line without an end was wrapped, not ended

# Latin, Devanagari, Arabic and Urdu ends want white space after them, Chinese and Japanese ones do not.
SPACED = r"[.!?\u2026\u0964\u061f\u06d4\u1362]"
WIDE = r"[\u3002\uff01\uff1f\uff61]"
CLOSING = r"[\"'\u201d\u2019\u00bb)\]\u300d\u300f\uff09]*"
END = re.compile(rf"{SPACED}+{CLOSING}(?=\s)|{WIDE}+{CLOSING}")
LAST = re.compile(rf"(?:{SPACED}|{WIDE}|[:\uff1a]){CLOSING}$")
ASKS = re.compile(rf"[?\u061f\uff1f:\uff1a]{CLOSING}$")
COLON = (":", "\uff1a")
ITEM = re.compile(r"(?:[-*+\u2022\u2023\u25aa\u25e6\u2013\u2014]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+")
HEADING = re.compile(r"#{1,6}\s+")
ABBREVIATION = re.compile(
    r"mrs?|ms|mx|dr|prof|rev|st|fig|vol|tel|ext|approx|vs|cf|incl|excl|min|max|sec|ca|bzw|str|hr|fr|abs|ggf|inkl"
    r"|evtl|mme|mlle|sra?|pág|núm|av", re.IGNORECASE,
)  # fmt: skip
NUMBERED = re.compile(r"no|nr|art|pp?", re.IGNORECASE)  # an abbreviation before a number alone
LETTERS = re.compile(r"(?:\w\.)*[^\W\d]")  # an initial, or letters with points between: e.g, i.e, z.B, U.S


class Line(Struct, frozen=True):
    """A sentence. A `lead` (a heading, a question, a line that ends with a colon) wants what follows it."""

    text: str
    item: bool = False
    lead: bool = False


class Piece(Struct, frozen=True):
    """`text` is what a question is compared with, `answer` what is then said: the same, but under a lead."""

    text: str
    answer: str


def pieces(document: str) -> list[Piece]:
    """What can be quoted from a text, in its order."""
    lines = list(sentences(document))
    return [piece for place, line in enumerate(lines) for piece in _piece(line, lines[place + 1 :])]


def _piece(line: Line, rest: Sequence[Line]) -> Iterator[Piece]:
    if not line.lead:
        if len(line.text) >= SHORTEST:
            yield Piece(line.text, line.text)
    elif under := _under(line, rest):
        yield Piece(line.text, under)


def _under(lead: Line, rest: Sequence[Line]) -> str:
    """What stands under a lead, up to the next one, the end of a list or the longest quote; it may be empty.

    A colon's own line belongs to the answer ("You may send it back if:"), a question and a heading do not.
    """
    out = [lead] if lead.text.endswith(COLON) else []
    begun = len(out)
    for line in rest:
        if (
            line.lead
            or (rest[0].item and not line.item)
            or (len(out) > begun and sum(len(x.text) + 1 for x in (*out, line)) > LONGEST)
        ):
            break
        out.append(line)
    return together(out) if len(out) > begun else ""


def together(lines: Sequence[Line]) -> str:
    """Sentences as running text, list items on lines of their own."""
    out = ""
    for line in lines:
        out += ("\n" if line.item else " ") + line.text
    return out.strip()


def sentences(document: str) -> Iterator[Line]:
    """The sentences of a text, in its order; none is longer than `LONGEST`."""
    for block in _blocks(document):
        heading, item = HEADING.match(block), ITEM.match(block)
        marked = heading or item
        for text in _split(block[marked.end() :] if marked else block):
            lead = bool(heading) or bool(ASKS.search(text))
            for part in textwrap.wrap(text, LONGEST, break_on_hyphens=False):
                yield Line(part, item=bool(item), lead=lead)


def _blocks(document: str) -> list[str]:
    """Paragraphs, headings and list items: wrapped lines are put together again."""
    out: list[str] = []
    wrapped = False
    for raw in document.splitlines():
        line = raw.strip()
        if line and wrapped and not ITEM.match(line) and not HEADING.match(line):
            out[-1] += f" {line}"
        elif line:
            out.append(line)
        wrapped = len(line) >= WRAPPED and not LAST.search(line) and not HEADING.match(line)
    return out


def _split(block: str) -> Iterator[str]:
    start = 0
    for end in END.finditer(block):
        if _ends(block[start : end.start()], end[0], block[end.end() :].lstrip()):
            yield block[start : end.end()].strip()
            start = end.end()
    if rest := block[start:].strip():
        yield rest


def _ends(before: str, mark: str, after: str) -> bool:
    """Is this mark the end of a sentence? A full stop may belong to an abbreviation."""
    if mark in ("...", "\u2026"):
        return not after[:1].islower()
    if mark != ".":
        return True
    word = before.rsplit(maxsplit=1)[-1].lstrip("(\"'“„«[") if before.strip() else ""
    if ABBREVIATION.fullmatch(word) or LETTERS.fullmatch(word):
        return False
    if NUMBERED.fullmatch(word) and after[:1].isdigit():
        return False
    return not (len(word) <= 4 and after[:1].islower())  # etc. and incl. go on in lower case

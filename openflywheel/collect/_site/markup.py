"""HTML as it comes, made fit for the parser: decoded, and without what would take it minutes or gigabytes.

lexbor follows the HTML standard, whose rules are quadratic in some places: 49 KB of unclosed <font> and <p>
become 1.6 GB, 100,000 nested <div> or attributes of one tag take 20 seconds. With these bounds the worst page
known takes 3 seconds, and no real one loses more than its end.
"""

import codecs
import re

from openflywheel.base.instruments.html import LONGEST_TAG, decoded, has_gap

MOST_BYTES = 2_000_000
MOST_TAGS = 30_000  # 2 s at the worst, where 100,000 take 17
FEW_TAGS = 2_000  # up to here unclosed formatting becomes 500,000 nodes (200 MB) at the most
MOST_ROOTS = 4  # <html> and <body> tags: each one's attributes are added to the first one's

_TAIL = rf"(?=[\s/>])[^>]{{0,{LONGEST_TAG}}}>"  # bounded: 30,000 tags that never end took 67 s
# Its elements are opened again in every paragraph until they are closed; text and links need none of them.
_FORMATTING = re.compile(
    rf"<(?i:/?(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)){_TAIL}", re.ASCII
)
_ROOTS = re.compile(rf"<(?:[hH][tT][mM][lL]|[bB][oO][dD][yY]){_TAIL}", re.ASCII)
_NOTHING = "<wbr>"  # an element that is empty wherever it stands
_MAGIC = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"RIFF", b"\x00\x00")
_TAGS = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    rb"<(?:!doctype html|html|head|body|title|meta|script|div|p|h1|table)\b",
    re.IGNORECASE | re.DOTALL,
)


def is_html(mime: str, body: bytes) -> bool:
    """Is it an HTML page? What says so may be anything, and what says nothing may be one."""
    start = body[:1024]
    if mime in ("text/html", "application/xhtml+xml"):
        return not start.startswith(_MAGIC)
    return mime in ("", "application/octet-stream") and bool(_TAGS.match(start.removeprefix(codecs.BOM_UTF8)))


def markup(body: bytes, charset: str = "") -> str:
    """The text of a page's source, bounded. `charset` is the one of the HTTP headers, which may be wrong."""
    return _bounded(decoded(body[:MOST_BYTES], charset))


def _bounded(text: str) -> str:
    tags = text.count("<")
    if tags > MOST_TAGS:
        text = "<".join(text.split("<", MOST_TAGS)[:MOST_TAGS])
    if has_gap(text):
        text = "<".join(_broken(piece) for piece in text.split("<"))
    if len(_ROOTS.findall(text)) > MOST_ROOTS:
        text = _ROOTS.sub(_NOTHING, text)
    return _FORMATTING.sub(_NOTHING, text) if tags > FEW_TAGS else text


def _broken(piece: str) -> str:
    """Ends a tag that is too long; inside a text or a quoted value it changes nothing that is read."""
    starts = range(0, len(piece), LONGEST_TAG - len(_NOTHING))
    return _NOTHING.join(piece[at : at + LONGEST_TAG - len(_NOTHING)] for at in starts)

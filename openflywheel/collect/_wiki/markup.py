"""HTML of wikis as text with headings."""

import re
from html import escape

from openflywheel.collect._site.page import read
from openflywheel.collect._wiki.wikitext import cut

HEADING = re.compile(r"<h([1-6])\b[^<>]*>", re.I)
OPEN, CLOSE = "<![CDATA[", "]]>"


def text_of(html: str) -> str:
    """The text of a piece of HTML, a block a line; headings begin with #, as in Markdown."""
    marked = HEADING.sub(lambda found: f"{found[0]}{'#' * int(found[1])} ", html)
    return read(f"<body>{marked}</body>".encode("utf-8", "replace"), "", "utf-8").text


def storage(xml: str) -> str:
    """The text of Confluence's storage format: HTML with macros, whose code stands in CDATA."""
    first, *others = xml.split(OPEN)
    pieces = [first]
    for other in others:
        code, ended, rest = other.partition(CLOSE)
        pieces.append(f"<pre>{escape(code)}</pre>{rest}" if ended else escape(code))
    return text_of(cut("".join(pieces), r"<ac:parameter\b[^<>]*>", r"</ac:parameter>"))

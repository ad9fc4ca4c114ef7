"""The text of an element as a reader sees it: blocks apart, inline markup without a trace."""

import html
import re
from typing import Any

import lxml.etree
import lxml.html

MOST = 500_000  # characters of one text
BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details",
    "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p", "pre", "section",
    "summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul",
}  # fmt: skip
APART = {"blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"}
CELL = "\x02"
SILENT = ("script", "style", "noscript", "template", "svg", "select", "iframe")
ESCAPED = re.compile(r"&lt;(?:/(?:p|div|li|ul|ol|strong|h[1-6])|br ?/?)&gt;", re.I)
MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|&(?:#\d+|#[xX][0-9A-Fa-f]+|[A-Za-z]\w*);")


def text_of(element: Any) -> str:
    """Text of an element of lxml: a line a block, an empty line between paragraphs."""
    pieces: list[str] = []
    walker = lxml.etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for event, node in walker:
        if event == "start":
            pieces.append(CELL if node.tag in ("td", "th") else _edge(node.tag))
            if node.tag in SILENT:
                walker.skip_subtree()
            else:
                pieces.append(node.text or "")
        else:
            pieces.append(_edge(node.tag) if event == "end" else "")
            pieces.append((node.tail or "") if node is not element else "")
    return tidy("".join(_flat(piece) for piece in pieces))


def _edge(tag: Any) -> str:
    """U+2028 and U+2029 are line and paragraph breaks that no page's own line breaks are taken for."""
    return "\u2029" if tag in APART else "\u2028" if tag in BLOCKS else ""


def _flat(piece: str) -> str:
    return piece if piece in ("\u2028", "\u2029") else re.sub(r"\s+", " ", piece)


def tidy(text: str) -> str:
    """Lines without space around them, at most one empty line in a row, cells of a row apart by " | "."""
    text = re.sub(r" *\u2029[\s\u2028\u2029]*", "\n\n", re.sub(r" *\u2028 *", "\u2028", text))
    text = re.sub(r"\u2028+", "\n", re.sub(r"\u2028*\n\n\u2028*", "\n\n", text))
    return re.sub(rf"(?m)^(?:{CELL} *)+", "", text.strip()).replace(CELL, " | ").replace("  | ", " | ")


def readable(text: str) -> str:
    """A text without the markup that publishers leave in it, be it escaped as a whole."""
    text = text.strip()[:MOST]
    if "<" not in text and ESCAPED.search(text):
        text = html.unescape(text)
    if not MARKUP.search(text):
        return text
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    source = f"<body><div>{text}</div>".encode("utf-8", "replace")
    return text_of(lxml.html.document_fromstring(source, parser=parser))

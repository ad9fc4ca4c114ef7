"""The main text of a page, block by block: quick, and good enough to search, compare and learn from.

A careful extractor would cost a crawl more than all the rest of it; that is curate's work. This splits the
serialised tree at its tags, since a walk over its nodes in Python takes three times as long.
"""

import re
from itertools import repeat

from selectolax.lexbor import LexborHTMLParser

FEWEST = 200  # characters that <main> or <article> must have to stand for the whole page
MENU = 3  # lines of links alone, one after the other

_ASIDE = (
    "script,style,noscript,template,nav,aside,select,button,textarea,input,datalist,label,svg,iframe,object,canvas,"
    "audio,video,dialog:not([open]),[hidden],[aria-hidden=true],[role=navigation],[role=banner],[role=search],"
    "[role=contentinfo],[role=complementary],[style*='display:none'],[style*='display: none'],.headerlink,"
    "header:not(:is(main,article) header),footer:not(:is(main,article) footer)"
)
_PRE = re.compile(r"(<pre[ >].*?</pre>)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<([^ >]*)[^>]*>")
_CELL, _CELL_END, _LINK, _LINK_END = "\x02", "\x05", "\x03", "\x04"  # not white space, and in nobody's text
_CELL_STARTS = re.compile(rf"{_CELL}[\s{_CELL_END}]+")
_CELL_ENDS = re.compile(rf"\s*{_CELL_END}")
_LINKED = re.compile(f"{_LINK}[^{_LINK_END}]*{_LINK_END}")
_WORD = re.compile(r"\w\w")
_BLOCKS = (
    *("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "ol", "dl", "dt", "dd", "br", "hr", "pre"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "section", "article", "main", "header", "footer"),
    *("blockquote", "figure", "figcaption", "form", "fieldset", "legend", "details", "summary", "address"),
    *("center", "body"),
)
_MEANS = {
    **{mark + name: "\n" for name in _BLOCKS for mark in ("", "/")},
    **dict.fromkeys(("td", "th"), _CELL),
    **dict.fromkeys(("/td", "/th"), _CELL_END),
    "a": _LINK,
    "/a": _LINK_END,
}


def prose(tree: LexborHTMLParser) -> str:
    """The text that a page is about, a block a line; takes everything else out of the tree.

    A heading, an item of a list, a row of a table (cells apart by " | ") each have a line; <pre> stays as
    it is. It takes <main>, or else the only <article>, for the page, and leaves out menus (runs of links).
    """
    for node in tree.css(_ASIDE):
        node.decompose()
    for area in ("main,[role=main]", "article"):
        found = tree.css(area)
        text = _text(found[0].html or "") if len(found) == 1 else ""
        if len(text) >= FEWEST:
            return text
    return _text(tree.body.html or "") if tree.body else ""


def _text(html: str) -> str:
    if "<!--" in html:
        html = _COMMENT.sub("", html)
    parts = _PRE.split(html) if "<pre" in html else [html]
    said = [_kept(part) if at % 2 else _flowing(part) for at, part in enumerate(parts)]
    return "\n".join(part for part in said if part)


def _kept(html: str) -> str:
    return _unescaped(_TAG.sub("", html.replace("<br>", "\n"))).strip("\n")


def _flowing(html: str) -> str:
    pieces = _TAG.split(html.replace("\n", " "))  # text, name, text, name ... text
    pieces[1::2] = map(_MEANS.get, pieces[1::2], repeat(""))
    text = _unescaped("".join(pieces))
    if _CELL in text:  # what is a block in a cell begins no line
        text = _CELL_ENDS.sub("", _CELL_STARTS.sub(_CELL, text))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    kept = _without_menus([line for line in lines if line])
    said = "\n".join(_row(line) if _CELL in line else line for line in kept)
    return said.replace(_LINK, "").replace(_LINK_END, "")


def _without_menus(lines: list[str]) -> list[str]:
    """Without runs of lines that are nothing but links; one or two may be part of a text."""
    kept: list[str] = []
    run: list[str] = []
    for line in [*lines, ""]:
        if _LINK in line and not _WORD.search(_LINKED.sub("", line)):
            run.append(line)
            continue
        kept.extend(run if len(run) < MENU else ())
        run = []
        kept.append(line)
    return kept[:-1]


def _row(line: str) -> str:
    return " | ".join(cell.strip() for cell in line.split(_CELL)).removeprefix(" | ").strip()


def _unescaped(text: str) -> str:
    """The serialiser escapes these four and no others."""
    if "&" not in text:
        return text
    return text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

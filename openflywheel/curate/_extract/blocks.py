"""A page as a list of blocks of text and the tree of areas they stand in.

The serialised tree is split at its tags in C and read in one loop: a walk over the nodes in Python takes
three times as long. Areas are numbered in the order in which they begin, so the blocks of an area and of all
within it are one range.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from openflywheel.curate._extract.words import HIDDEN, words_of

KINDS = (
    *(
        "div",
        "section",
        "article",
        "main",
        "aside",
        "header",
        "footer",
        "nav",
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
    ),
    *("h6", "ul", "ol", "li", "dl", "dt", "dd", "table", "tr", "td", "th", "pre", "blockquote", "figure"),
    *("figcaption", "form", "caption", "details", "summary", "address"),
)
CODES = {name: code for code, name in enumerate(KINDS)}
_PRE = CODES["pre"]
_PLAIN = ("body", "center", "fieldset", "legend", "hgroup", "search", "menu", "dir", "dialog")  # as <div>
_INLINE, _LINK, _LINK_END, _BREAK, _RULE, _CLOSE = range(-1, -7, -1)


class _Actions(dict[str, int]):
    """What a tag does, by its name: begins an area of a kind (0 and up), or one of the codes above."""

    def __missing__(self, name: str) -> int:
        if "-" not in name:
            return _INLINE
        return _CLOSE if name[0] == "/" else 0  # elements of the page's own are most often containers


_ACTIONS = _Actions({"a": _LINK, "/a": _LINK_END, "br": _BREAK, "hr": _RULE})
for _name, _code in (CODES | dict.fromkeys(_PLAIN, 0)).items():
    _ACTIONS |= {_name: _code, f"/{_name}": _CLOSE}
_ENDLESS = (
    "area",
    "base",
    "basefont",
    "bgsound",
    "br",
    "col",
    "embed",
    "frame",
    "hr",
    "img",
    "input",
    "keygen",
)
_NEVER_HIDDEN = frozenset(("body", *_ENDLESS, "link", "meta", "param", "source", "track", "wbr"))
_GONE = [
    *(
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "iframe",
        "object",
        "canvas",
        "audio",
        "video",
        "select",
    ),
    *("textarea", "datalist", "button", "noframes", "noembed", "xmp", "plaintext", "title", "map", "embed"),
]
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<(/?[a-z][^\s>]*)([^>]*)>")  # the serialiser escapes "<" and ">" in attributes
_MARK = "\x1e"  # a <br>; not white space to split(), and in nobody's text
_PARAGRAPHS = re.compile(rf"{_MARK}\s*{_MARK}[\s{_MARK}]*")


class Page(Struct):
    """The blocks of a page, in its order, and its areas; area 0 is the page.

    `texts[i]` stands in `areas[i]`, with `linked[i]` of its characters within links. For an area, `kinds` is
    its element (CODES), `words` what its attributes say, `parents` the area around it, and its blocks are
    those from `starts` up to `ends`.
    """

    texts: list[str]
    areas: list[int]
    linked: list[int]
    kinds: list[int]
    words: list[int]
    parents: list[int]
    starts: list[int]
    ends: list[int]


def tree_of(source: str) -> LexborHTMLParser:
    """The parsed page; see source.py for what must not reach the parser."""
    return LexborHTMLParser(source, options=LexborDocumentOptions.WO_EVENTS)


def blocks(tree: LexborHTMLParser) -> Page:
    """The blocks of a page; what is not shown (scripts, controls, hidden parts) is left out.

    It takes the scripts out of the tree.
    """
    tree.strip_tags(_GONE)
    html = (tree.body.html if tree.body else "") or ""
    if "<!--" in html:
        html = _COMMENT.sub("", html)
    reader = _Reader()
    pieces = _TAG.split(html)  # text, name, attributes, text, name, attributes ... text
    reader.read(pieces[1::3], pieces[2::3], pieces[3::3])
    return reader.page


class _Reader:
    """Reads a page tag by tag."""

    def __init__(self) -> None:
        self.page = Page([], [], [], [0], [0], [0], [0], [0])
        self._stack = [0]  # the areas that are open
        self._held: list[str] = []  # the text since the last block
        self._linked = 0

    def read(self, names: Sequence[str], attributes: Sequence[str], texts: Sequence[str]) -> None:
        """All tags of a page, each with its attributes and the text that follows it."""
        page, held, linked, hidden, depth = self.page, self._held, False, "", 0
        for name, said, text in zip(names, attributes, texts, strict=True):
            if depth:  # within what is not shown
                depth += (name == hidden) - (name[0] == "/" and name[1:] == hidden)
                if depth:
                    continue
            action, words = _ACTIONS[name], 0
            if said and name not in _NEVER_HIDDEN:
                words = words_of(said)
                if words >= HIDDEN:
                    hidden, depth = name, 1
                    continue
            if action >= 0:
                self._begin(action, words)
            elif action == _CLOSE:
                self._end()
            elif action == _BREAK:
                held.append(_MARK)
            elif action == _RULE:
                self._flush()
            elif action != _INLINE:
                linked = action == _LINK
            if text and (held or not text.isspace() or page.kinds[self._stack[-1]] == _PRE):
                held.append(text)
                self._linked += len(text) * linked
        self._stack = self._stack[:1]
        self._end()

    def _begin(self, kind: int, words: int) -> None:
        self._flush()
        page = self.page
        page.kinds.append(kind)
        page.words.append(words)
        page.parents.append(self._stack[-1])
        page.starts.append(len(page.texts))
        page.ends.append(0)
        self._stack.append(len(page.kinds) - 1)

    def _end(self) -> None:
        self._flush()
        self.page.ends[self._stack[-1]] = len(self.page.texts)
        if len(self._stack) > 1:
            self._stack.pop()

    def _flush(self) -> None:
        """The text that was held is a block of the innermost area; two <br> make two of it."""
        if not self._held:
            return
        page, area = self.page, self._stack[-1]
        linked, self._linked = self._linked, 0
        for text in _paragraphs("".join(self._held), page.kinds[area] == _PRE):
            page.texts.append(text)
            page.areas.append(area)
            page.linked.append(min(linked, len(text)))
            linked -= page.linked[-1]
        self._held.clear()


def _paragraphs(text: str, preformatted: bool) -> Iterator[str]:
    if preformatted:
        parts = [text.replace(_MARK, "\n").rstrip().lstrip("\n")]
    elif _MARK in text:
        parts = ["\n".join(map(_line, part.split(_MARK))).strip() for part in _PARAGRAPHS.split(text)]
    else:
        parts = [_line(text)]
    return (_unescaped(part) for part in parts if part)


def _line(text: str) -> str:
    return " ".join(text.replace("&nbsp;", " ").split())


def _unescaped(text: str) -> str:
    """The serialiser escapes these four and no others."""
    if "&" not in text:
        return text
    return text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

"""Notion's export: a zip of Markdown or HTML files, each named by its title and the page's id."""

import re
from pathlib import PurePosixPath

from selectolax.lexbor import LexborHTMLParser

from openflywheel.base.nouns import Drop
from openflywheel.collect._wiki.markup import text_of
from openflywheel.collect._wiki.page import Page

NAMED = re.compile(r"^(.*?)\s*([0-9a-f]{32})$")
PROPERTY = re.compile(r"[^:\n]{1,80}: ")
TITLE = re.compile(r"\A\s*# ([^\n]*)\n?")


def exported(name: str, content: bytes) -> Page | Drop | None:
    """A page of an export; None for what is no page (pictures, tables).

    Its properties stay out: they name people.
    """
    path = PurePosixPath(name)
    found = NAMED.match(path.stem)
    title, id = (found[1], found[2]) if found else (path.stem, name)
    if path.suffix.lower() == ".md":
        text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        head = TITLE.match(text)
        body = _without_properties(text[head.end() :]) if head else text
        return Page(id=id, title=head[1].strip() if head else title, text=body)
    return _page(id, title, content) if path.suffix.lower() == ".html" else None


def _page(id: str, title: str, content: bytes) -> Page | None:
    tree = LexborHTMLParser(content)
    body, named = tree.css_first(".page-body"), tree.css_first(".page-title")
    if body is None:
        return None
    return Page(id=id, title=named.text().strip() if named else title, text=text_of(body.html or ""))


def _without_properties(text: str) -> str:
    """The text without the first paragraph if it is a list of properties ("Owner: ...")."""
    first, _, rest = text.lstrip("\n").partition("\n\n")
    return rest if all(PROPERTY.match(line) for line in first.split("\n")) else text

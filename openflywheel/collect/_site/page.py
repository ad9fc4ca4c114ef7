"""A page, read: its text, its links, and what it says about itself."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from openflywheel.collect._site.head import Head
from openflywheel.collect._site.markup import is_html, markup
from openflywheel.collect._site.prose import prose
from openflywheel.collect._site.scripts import needs_script
from openflywheel.collect._site.urls import canonical

__all__ = ["Link", "Page", "is_html", "read"]

ANCHOR = 300  # characters kept of a link's text
_HEAD = ("meta", "link", "base", "title")
_NODES = "a,area,frame,iframe,meta,link,base,title"


class Link(Struct, frozen=True):
    """A link to a page: its canonical URL and its text; `nofollow` when the page does not vouch for it."""

    url: str
    text: str = ""
    nofollow: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """What is read of an HTML page.

    `canonical` is the URL that the page calls its own, `meta` has facts ("description", "published", "site",
    "type"). `author` stands apart, being a person. `directives` are what it asks of robots ("noindex",
    "noai", "tdm-reservation" ...), `feeds` the URLs of its feeds. `needs_script` says why a browser would be
    needed.
    """

    url: str
    canonical: str = ""
    title: str = ""
    text: str = ""
    lang: str = ""
    links: tuple[Link, ...] = ()
    meta: dict[str, str] = {}
    author: str = ""
    license: str = ""
    noindex: bool = False
    nofollow: bool = False
    directives: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    needs_script: str = ""


def read(body: bytes, url: str, charset: str = "") -> Page:
    """Read a page; never fails. `url` is where it came from, `charset` what the HTTP headers said.

    The first 2 MB and 30,000 tags are read (markup.py).
    """
    source = markup(body, charset)
    tree = LexborHTMLParser(source, options=LexborDocumentOptions.WO_EVENTS)
    nodes = tree.css(_NODES)
    head = Head(url, tree, [n for n in nodes if n.tag in _HEAD], source)
    page = Page(
        url=url,
        canonical=head.canonical,
        title=head.title or head.said("og:title", "dcterms.title", "dc.title"),
        lang=head.lang,
        links=_links([n for n in nodes if n.tag not in _HEAD], head.base),
        meta=head.meta,
        author=head.author,
        license=head.license,
        noindex="noindex" in head.directives,
        nofollow="nofollow" in head.directives,
        directives=head.directives,
        feeds=head.feeds,
    )
    text = prose(tree)  # takes the tree apart, so it is the last to read it
    return msgspec.structs.replace(page, text=text, needs_script=needs_script(source, text))


def _links(nodes: Iterable[LexborNode], base: str) -> tuple[Link, ...]:
    """Each target once, by its first link that has a text."""
    found: dict[str, Link] = {}
    done = {""}
    for node in nodes:
        said = node.attributes
        target = (said.get("href") or said.get("src") or "").partition("#")[0]
        url = None if target in done else canonical(target, base)
        if url is None or (url in found and found[url].text):
            continue
        text = " ".join((node.text() or said.get("title") or said.get("alt") or "").split())
        found[url] = Link(url, text[:ANCHOR], "nofollow" in (said.get("rel") or "").lower().split())
        done.update([target] if text else ())
    return tuple(found.values())

"""What a page says about itself: <meta>, <link>, <title>, JSON-LD (schema.org), OpenGraph, Dublin Core."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

from openflywheel.base.instruments.dates import iso_date

NAMES = ("title", "author", "published", "license", "canonical", "lang_declared", "site")
LONGEST = 500  # characters of a fact
MOST_DATA = 500_000  # characters of a block of JSON-LD

# Names of <meta>, in order of trust; ":" in them is written ".".
_TITLE = ("dcterms.title", "dc.title", "citation_title", "og.title", "twitter.title", "parsely-title")
_AUTHOR = (
    *("dcterms.creator", "dc.creator", "author", "article.author", "citation_author", "parsely-author"),
    *("sailthru.author", "byl"),
)
_PUBLISHED = (
    *("article.published_time", "datepublished", "dcterms.issued", "dcterms.created", "dcterms.date"),
    *("dc.date.issued", "dc.date", "citation_publication_date", "parsely-pub-date", "sailthru.date"),
    *("pubdate", "publishdate", "date"),
)
_SITE = ("og.site_name", "application-name")
_HEAD = 'meta,link[rel],title,script[type="application/ld+json"]'
_CC = re.compile(
    r"https?://creativecommons\.org/(?:licenses/[a-z-]+/\d\.\d|publicdomain/[a-z]+/\d\.\d)", re.IGNORECASE
)
_URL = re.compile(r"https?://[^\s<>\"]+$", re.IGNORECASE)
_THINGS = ("Article", "Posting", "Page", "Report", "Creative", "Book", "Recipe", "Chapter", "Question")


def facts(tree: LexborHTMLParser, source: str) -> dict[str, str]:
    """The facts of a page by NAMES, those that it states; dates in ISO 8601, licences and links as URLs."""
    said = _Said(tree.css(_HEAD))
    root = tree.root.attributes if tree.root else {}
    found = {
        "title": said.meta(*_TITLE) or said.data("headline", "name") or said.title,
        "author": _no_url(said.meta(*_AUTHOR)) or said.data("author", "creator") or _author(tree, source),
        "published": said.date() or _time(tree, source),
        "license": said.link("license") or _url(said.data("license")) or _license(tree, source),
        "canonical": said.link("canonical") or _url(said.meta("og.url")),
        "lang_declared": (
            root.get("lang") or root.get("xml:lang") or said.meta("content-language") or ""
        ).strip(),
        "site": said.meta(*_SITE) or said.data("publisher"),
    }
    return {name: value[:LONGEST] for name, value in found.items() if value}


class _Said:
    """The head of a page."""

    def __init__(self, nodes: Sequence[LexborNode]) -> None:
        self.title = ""
        self._metas: dict[str, list[str]] = {}
        self._links: dict[str, str] = {}
        self._things: list[Mapping[str, Any]] = []
        for node in nodes:
            self._take(node)

    def _take(self, node: LexborNode) -> None:
        tag, said = node.tag, node.attributes
        if tag == "meta":
            name = said.get("name") or said.get("property") or said.get("itemprop") or said.get("http-equiv")
            if name and said.get("content"):
                self._metas.setdefault(name.lower().replace(":", "."), []).append(said["content"] or "")
        elif tag == "link":
            for rel in (said.get("rel") or "").lower().split():
                self._links.setdefault(rel, said.get("href") or "")
        elif tag == "title":
            self.title = self.title or _folded(node.text())
        else:
            self._things.extend(_things(node.text()))

    def meta(self, *names: str) -> str:
        """The first of these <meta> that says anything."""
        return next(
            (_folded(value) for name in names for value in self._metas.get(name, ()) if value.strip()), ""
        )

    def link(self, rel: str) -> str:
        """The URL of a <link>."""
        return _url(self._links.get(rel, ""))

    def data(self, *names: str) -> str:
        """The first of these properties of a thing that is the page."""
        return next(
            (text for name in names for thing in self._things if (text := _text(thing.get(name)))), ""
        )

    def date(self) -> str:
        """When it was published."""
        dates = [value for name in _PUBLISHED for value in self._metas.get(name, ())]
        return next((date for value in [*dates, self.data("datePublished")] if (date := iso_date(value))), "")


def _things(text: str) -> Iterator[Mapping[str, Any]]:
    """The things of a block of JSON-LD that are documents; broken JSON has none."""
    try:
        said = msgspec.json.decode(text.replace("<wbr>", "")) if len(text) <= MOST_DATA else None
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return
    tops = [thing for thing in (said if isinstance(said, list) else [said]) if isinstance(thing, dict)]
    graphs = [thing["@graph"] for thing in tops if isinstance(thing.get("@graph"), list)]
    for thing in [*tops, *(inner for graph in graphs for inner in graph)]:
        if isinstance(thing, dict) and any(kind in str(thing.get("@type")) for kind in _THINGS):
            yield thing


def _text(said: Any) -> str:
    """A value of JSON-LD as text: itself, its name or URL; of several, each."""
    if isinstance(said, list):
        return ", ".join(dict.fromkeys(filter(None, map(_plain, said[:10]))))
    return _plain(said)


def _plain(said: Any) -> str:
    if isinstance(said, dict):
        said = said.get("name") or said.get("url") or said.get("@id")
    return _folded(said) if isinstance(said, str) else ""


def _author(tree: LexborHTMLParser, source: str) -> str:
    """Who is linked or marked as the author in the page itself."""
    if 'author"' not in source:
        return ""
    nodes = tree.css('a[rel~="author"],[itemprop="author"] [itemprop="name"],[itemprop="author"]')
    names = [name for node in nodes[:5] if 0 < len(name := _folded(node.text())) <= 100]
    return names[0] if names else ""


def _time(tree: LexborHTMLParser, source: str) -> str:
    """The date of a <time> that is marked as the publication's."""
    if "<time" not in source:
        return ""
    nodes = tree.css('time[itemprop="datePublished"],time[pubdate],time.published,time.entry-date')
    return next((date for node in nodes if (date := iso_date(node.attributes.get("datetime") or ""))), "")


def _license(tree: LexborHTMLParser, source: str) -> str:
    """The licence that links in the page name; "" when they name several."""
    if "license" not in source and "creativecommons" not in source:
        return ""
    nodes = tree.css('a[rel~="license"],a[href*="creativecommons.org/"]')
    found = {(n.attributes.get("rel") or "", n.attributes.get("href") or "") for n in nodes}
    urls = {url.rstrip("/") for rel, url in found if _CC.match(url) or ("license" in rel and _url(url))}
    return urls.pop() if len(urls) == 1 else ""


def _url(said: str) -> str:
    return said.strip() if _URL.match(said.strip()) else ""


def _no_url(said: str) -> str:
    return "" if _url(said) else said


def _folded(said: str) -> str:
    return " ".join(said.split())

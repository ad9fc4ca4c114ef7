"""What a page says about itself: <meta>, <link>, <title>, <base>, JSON-LD."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

from openflywheel.base.instruments.dates import iso_date
from openflywheel.collect._site.license import license_of
from openflywheel.collect._site.urls import canonical

AGENT = "openflywheel"  # what sites may call us in <meta> and headers, as in robots.txt
LONGEST = 2_000  # characters kept of a title or a description

_PUBLISHED = (
    "article:published_time",
    "datepublished",
    "dcterms.issued",
    "dcterms.created",
    "dcterms.date",
    "dc.date.issued",
    "dc.date",
    "citation_publication_date",
    "parsely-pub-date",
    "sailthru.date",
    "pubdate",
    "publishdate",
    "date",
)
_LICENSES = ("dcterms.license", "dc.rights.license", "dc.license", "license", "dcterms.rights", "dc.rights")
_FEEDS = ("application/rss+xml", "application/atom+xml", "application/feed+json")
# A licence of one of these is not the page's.
_OTHERS = {
    "ImageObject",
    "VideoObject",
    "AudioObject",
    "MediaObject",
    "SoftwareApplication",
    "SoftwareSourceCode",
}


class Head:
    """What the head of a page says; `nodes` are its <meta>, <link>, <base> and <title>.

    What few pages say is looked for in the tree only where its `source` has the word: that costs a tenth.
    """

    def __init__(self, url: str, tree: LexborHTMLParser, nodes: list[LexborNode], source: str) -> None:
        self._tree, self._source = tree, source
        self._links: list[tuple[set[str], str, Mapping[str, str | None]]] = []
        self._metas: dict[str, list[str]] = {}
        self.title, self.base = "", url
        for node in nodes:
            self._take(node)

    def _take(self, node: LexborNode) -> None:
        said = node.attributes
        if node.tag == "title":
            self.title = self.title or _short(node.text())
        elif node.tag == "base":
            self.base = canonical(said.get("href") or "", self.base) or self.base
        elif node.tag == "link" and said.get("href"):
            self._links.append((set((said.get("rel") or "").lower().split()), said.get("href") or "", said))
        elif node.tag == "meta":
            name = said.get("name") or said.get("property") or said.get("itemprop") or said.get("http-equiv")
            self._metas.setdefault((name or "").lower(), []).append(said.get("content") or "")

    def said(self, *names: str) -> str:
        """The first of these <meta> that says anything."""
        return next((_short(v) for name in names for v in self._metas.get(name, ()) if v.strip()), "")

    @property
    def canonical(self) -> str:
        """The URL that the page calls its own; "" when it names none."""
        return next(
            (canonical(href, self.base) or "" for rels, href, _ in self._links if "canonical" in rels), ""
        )

    @property
    def lang(self) -> str:
        """The language tag (RFC 5646) of the page."""
        root = self._tree.root
        said = (root.attributes.get("lang") or root.attributes.get("xml:lang")) if root else ""
        return (said or self.said("content-language", "dc.language", "dcterms.language")).strip()[:35]

    @property
    def meta(self) -> dict[str, str]:
        """Facts of the page itself."""
        dates = (iso_date(value) for name in _PUBLISHED for value in self._metas.get(name, ()))
        facts = {
            "description": self.said(
                "description", "og:description", "dcterms.description", "dc.description"
            ),
            "published": next((d for d in dates if d), "")
            or iso_date(_text(self._data.get("datePublished"))),
            "site": self.said("og:site_name"),
            "type": self.said("og:type"),
        }
        return {name: value for name, value in facts.items() if value}

    @property
    def author(self) -> str:
        """Who wrote the page, a person."""
        return self.said("author", "article:author", "dcterms.creator", "dc.creator", "citation_author")

    @property
    def license(self) -> str:
        """Its licence: by link, by linked data, by <meta>, by <a>; "" when the <a> name several."""
        links = [href for rels, href, _ in self._links if "license" in rels]
        nodes = self._tree.css("a[rel~=license][href]") if "license" in self._source else []
        anchors = [n.attributes.get("href") or "" for n in nodes]
        for said in (
            links,
            [_text(self._data.get("license"))],
            [self.said(name) for name in _LICENSES],
            anchors,
        ):
            found = {license_of(_whole(value, self.base)) for value in said if value} - {""}
            if found:
                return found.pop() if len(found) == 1 else ""
        return ""

    @property
    def directives(self) -> tuple[str, ...]:
        """What it asks of all robots, and of us by name; "none" is noindex and nofollow."""
        said = ",".join([*self._metas.get("robots", ()), *self._metas.get(AGENT, ())]).lower()
        asked = {d for d in re.split(r"[,\s]+", said) if d}
        asked |= {"noindex", "nofollow"} if "none" in asked else set()
        asked |= {"tdm-reservation"} if self.said("tdm-reservation") == "1" else set()
        return tuple(sorted(asked))

    @property
    def feeds(self) -> tuple[str, ...]:
        """Its feeds (RSS, Atom, JSON Feed), in order."""
        found = (
            canonical(href, self.base) for rels, href, a in self._links if "alternate" in rels and _feeds(a)
        )
        return tuple(dict.fromkeys(url for url in found if url))

    @cached_property
    def _data(self) -> Mapping[str, Any]:
        """The first thing of the page's JSON-LD (schema.org) that is dated or licensed."""
        linked = "ld+json" in self._source
        blocks = self._tree.css('script[type="application/ld+json"]') if linked else []
        things = (thing for block in blocks for thing in _things(block.text()))
        return next((t for t in things if "license" in t or "datePublished" in t), {})


def _things(text: str) -> Iterator[Mapping[str, Any]]:
    try:
        said = msgspec.json.decode(text.replace("<wbr>", ""))
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return
    found = said if isinstance(said, list) else [said]
    graphs = [t["@graph"] for t in found if isinstance(t, dict) and isinstance(t.get("@graph"), list)]
    for thing in [*found, *(t for graph in graphs for t in graph)]:
        if isinstance(thing, dict) and str(thing.get("@type")) not in _OTHERS:
            yield thing


def _text(said: Any) -> str:
    """A value of JSON-LD as text: itself, its URL or its first item's."""
    if isinstance(said, list):
        return _text(said[0]) if said else ""
    if isinstance(said, dict):
        said = said.get("url") or said.get("@id")
    return said if isinstance(said, str) else ""


def _feeds(said: Mapping[str, str | None]) -> bool:
    return (said.get("type") or "").partition(";")[0].strip().lower() in _FEEDS


def _whole(said: str, base: str) -> str:
    """A licence's link as a whole URL; a sentence stays one."""
    return said if " " in said.strip() else canonical(said, base) or said


def _short(said: str) -> str:
    return " ".join(said.split())[:LONGEST]

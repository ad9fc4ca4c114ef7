"""Microdata, RDFa Lite and OpenGraph as things: what stands in the attributes of a page's elements.

The bounds are for pages that mean harm: without them 1,000 `itemref`s to 500 properties cost 15 CPU-s.
"""

from collections.abc import Iterator
from typing import Any

from extruct.opengraph import OpenGraphExtractor
from extruct.w3cmicrodata import MicrodataExtractor

from openflywheel.collect._scrape.thing import Thing, TooMuchError, kinds_of, local

MOST_SCOPES, MOST_PROPERTIES, MOST_REFERENCES = 2_000, 10_000, 50_000  # their cost is quadratic
MOST_ELEMENTS = 50_000  # of a page with microdata
MOST_NESTED = 12  # properties within properties: the text of each is taken apart anew
OPEN_GRAPH = {"article": "Article", "product": "Product", "product.item": "Product", "og:product": "Product"}
OPEN_GRAPH_NAMES = {
    "og:title": "name",
    "og:description": "description",
    "og:url": "url",
    "og:locale": "inLanguage",
    "article:published_time": "datePublished",
    "article:modified_time": "dateModified",
    "article:section": "articleSection",
    "product:price:amount": "price",
    "product:price:currency": "priceCurrency",
    "og:price:amount": "price",
    "og:price:currency": "priceCurrency",
    "product:availability": "availability",
    "og:availability": "availability",
    "product:brand": "brand",
    "product:retailer_item_id": "sku",
}
ELSEWHERE = (
    "og:",
    "fb:",
    "twitter:",
    "article:",
    "product:",
    "al:",
)  # `property` that is no RDFa of schema.org


def micro(tree: Any, url: str, faults: list[str]) -> list[Thing]:
    """Microdata, and RDFa Lite written as microdata."""
    _rdfa(tree)
    for element in tree.xpath("//*[@itemprop][count(ancestor::*[@itemprop]) >= $most]", most=MOST_NESTED):
        del element.attrib["itemprop"]
    scopes, properties = tree.xpath("//*[@itemscope]"), int(tree.xpath("count(//*[@itemprop])"))
    size = int(tree.xpath("count(//*)")) if properties else 0
    if len(scopes) > MOST_SCOPES or properties > MOST_PROPERTIES or size > MOST_ELEMENTS:
        raise TooMuchError("structured data too large")
    if sum(len(s.get("itemref", "").split()) for s in scopes) * properties > MOST_REFERENCES:
        faults.append("structured data too large")
        for scope in scopes:
            scope.attrib.pop("itemref", None)
    found = (_item(item) for item in MicrodataExtractor().extract_items(tree, url))
    return [thing for thing in found if isinstance(thing, Thing)]


def _item(item: Any) -> Any:
    """An item of extruct's: with properties it is a Thing, else its text."""
    if not isinstance(item, dict):
        return str(item)
    if "properties" not in item:
        return str(item.get("value") or "")
    values = {
        local(name): [_item(v) for v in (value if isinstance(value, list) else [value]) if v is not None]
        for name, value in item["properties"].items()
    }
    return Thing(kinds_of(item.get("type")), values)


def _rdfa(tree: Any) -> None:
    """RDFa Lite (W3C, 2015) says with typeof and property what microdata says with itemtype and itemprop."""
    for element in tree.xpath("//*[@typeof][not(@itemscope)]"):
        element.set("itemscope", "")
        element.set("itemtype", " ".join(local(kind) for kind in element.get("typeof").split()))
    for element in tree.xpath("//*[@property][not(@itemprop)][ancestor::*[@typeof]]"):
        names = [n for n in element.get("property").split() if not n.startswith(ELSEWHERE)]
        if names:
            element.set("itemprop", " ".join(local(name) for name in names))


def open_graph(tree: Any) -> Iterator[Thing]:
    """OpenGraph's page as a thing: an article or a product; other pages are not spoken of."""
    for page in OpenGraphExtractor().extract_items(tree):
        said = dict(reversed(page["properties"]))  # the first of each name
        if kind := OPEN_GRAPH.get(said.get("og:type", "")):
            values = {ours: [said[name]] for name, ours in OPEN_GRAPH_NAMES.items() if name in said}
            yield Thing((kind,), values)

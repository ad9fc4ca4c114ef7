"""What a selector file finds on a page."""

from collections.abc import Iterator
from typing import Any

from openflywheel.collect._scrape.amounts import number, plain, price, rating
from openflywheel.collect._scrape.css import found_by
from openflywheel.collect._scrape.dates import iso
from openflywheel.collect._scrape.kinds import Item
from openflywheel.collect._scrape.layout import text_of
from openflywheel.collect._scrape.selectors import Pick, Selectors, pick
from openflywheel.collect._site.urls import canonical

LACKS = "lacks a required field"
NO_TEXT = "lacks a text"


def picked(tree: Any, url: str, selectors: Selectors) -> Iterator[Item | str]:
    """An Item for each of the page's items, or why it is none."""
    for element in found_by(selectors.item)(tree) if selectors.item else [tree]:
        facts = {
            k: v for name, p in selectors.facts.items() for k, v in _facts(element, url, name, p).items()
        }
        text = "\n\n".join(t for p in selectors.texts if (t := _said(element, url, p)))
        named = {name: _one(element, url, getattr(selectors, name)) for name in ("label", "person")}
        if any(not {"text": text, **named, **facts}.get(name) for name in selectors.required):
            yield LACKS
        elif not text:
            yield NO_TEXT
        else:
            yield Item(text=text, meta=facts, person=named["person"], label=named["label"])


def links(tree: Any, url: str, selector: str) -> list[str]:
    """Canonical URLs of what a selector finds: links, or elements that hold links."""
    found = (a.get("href") for e in found_by(selector)(tree) for a in ([e] if e.get("href") else e.iter("a")))
    return list(dict.fromkeys(u for href in found if href and (u := canonical(href, url))))


def _one(element: Any, url: str, said: str | Pick | None) -> str:
    return "" if said is None else _said(element, url, pick(said))


def _said(element: Any, url: str, p: Pick) -> str:
    return _facts(element, url, "it", p).get("it", "")


def _facts(element: Any, url: str, name: str, p: Pick) -> dict[str, str]:
    """The fact under its name, and what comes with it: a price has a currency, a rating a best."""
    raw = _raw(element, p)
    match p.type:
        case "number":
            found = {name: (plain(raw) if p.attribute else "") or number(raw)}
        case "price":
            amount, currency = price(raw)
            found = {name: amount, "currency": currency}
        case "rating":
            value, best = rating(raw)
            found = {name: value, "best": best}
        case "date":
            found = {name: iso(raw, p.format)}
        case "url":
            found = {name: (canonical(raw, url) or "") if raw else ""}
        case _:
            found = {name: raw}
    return {key: value for key, value in found.items() if value}


def _raw(element: Any, p: Pick) -> str:
    """The attribute, or the text; a URL's attribute is href unless another is named."""
    found = next(iter(found_by(p.select)(element)), None) if p.select else element
    if found is None:
        return ""
    attribute = p.attribute or ("href" if p.type == "url" else "")
    return str(found.get(attribute) or "").strip() if attribute else text_of(found)

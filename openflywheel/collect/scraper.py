"""Structured records of one site, without any provider: what its pages declare, or what selectors pick."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._scrape import selectors as files
from openflywheel.collect._scrape.css import found_by
from openflywheel.collect._scrape.kinds import Item, items, wanted
from openflywheel.collect._scrape.picking import links, picked
from openflywheel.collect._scrape.selectors import Selectors
from openflywheel.collect._scrape.things import find, parse
from openflywheel.collect._scrape.walk import UNCHANGED, Came, Kept, Walk
from openflywheel.collect._site.page import Page, read
from openflywheel.collect._site.signals import opted_out
from openflywheel.collect._site.urls import canonical
from openflywheel.collect._site.verdict import verdict
from openflywheel.collect._streams import Stream
from openflywheel.collect._web.web import Web

NOTHING = "no structured data"
NO_ITEM = "the selectors find nothing"
NO_TEXT = "lacks a text"


def scraper(
    gap: Gap,
    *,
    url: str | tuple[str, ...],
    kinds: tuple[str, ...] = (),
    selectors: str = "",
    follow: str = "",
    pages: int = 100,
    web: Web,
    folder: Path,
    state: dict[str, Any],
    subject: Callable[[str], str],
) -> Iterator[Record | Drop]:
    """Records of the things that pages of a site speak of: reviews, questions, products, jobs, articles.

    `url` names one or more pages; `follow` is a CSS selector of the links that lead on (details, the next
    page), on the same hosts, up to `pages` pages. What pages declare as JSON-LD, microdata, RDFa Lite or
    OpenGraph is read: things of these `kinds` (types of schema.org: Review, AggregateRating, Question,
    QAPage, FAQPage, Product, Offer, JobPosting, Article, NewsArticle ...), all but ratings if none is named.
    With `selectors`, a YAML file in the folder of flywheel.yaml, they pick the records instead
    (docs/selectors.md), and `kinds` add what they name. robots.txt and opt-outs are obeyed; pages that have
    not changed give nothing again.
    Raises SettingsError, and SourceFailed when no page can be reached.
    """
    plan = _plan(url, kinds, selectors, follow, folder)
    kept = Kept(state, content_id(plan.mark, gap.task))
    walk = Walk(web, plan.urls, pages, kept, follows=bool(plan.leads))
    for came in walk:
        if isinstance(came, Drop):
            yield came
            continue
        yield from (_record(i, gap, subject) if isinstance(i, _Found) else i for i in _read(came, plan, walk))
    if not walk.reached and isinstance(walk.failed, SourceFailed):
        raise SourceFailed(f"scraper: no page can be read: {walk.failed}; see: flywheel collect --check")


def check(
    *,
    url: str | tuple[str, ...],
    kinds: tuple[str, ...] = (),
    selectors: str = "",
    follow: str = "",
    pages: int = 100,
    web: Web,
    folder: Path,
) -> None:
    """Are the settings right, and does the first page answer? Raises SettingsError, SourceFailed."""
    plan = _plan(url, kinds, selectors, follow, folder)
    walk = Walk(web, plan.urls[:1], min(pages, 1), Kept({}, ""), follows=True)
    said = [came.reason for came in walk if isinstance(came, Drop)]
    if said:
        raise SourceFailed(
            f"scraper: {plan.urls[0]}: {said[0]}; see: flywheel collect --explain {plan.urls[0]}"
        )


def discover(
    gap: Gap,  # noqa: ARG001 - every gap is answered from the same pages
    *,
    url: str | tuple[str, ...],
    kinds: tuple[str, ...] = (),
    selectors: str = "",
    follow: str = "",
    pages: int = 100,
    folder: Path,
) -> Iterator[Stream]:
    """The first pages, and what would be looked for on them; nothing is fetched."""
    plan = _plan(url, kinds, selectors, follow, folder)
    columns = tuple(plan.selectors.facts) if plan.selectors else tuple(sorted(plan.kinds))
    note = (
        f"and what {' and '.join(map(repr, plan.leads))} leads to, at most {pages} pages"
        if plan.leads
        else ""
    )
    for page in plan.urls:
        yield Stream(page, columns=columns, note=note)


class _Plan(Struct, frozen=True):
    """The settings, checked. `leads` are the selectors of links; `mark` is another one for other settings."""

    urls: tuple[str, ...]
    kinds: frozenset[str]
    selectors: Selectors | None
    leads: tuple[str, ...]
    mark: str


def _plan(
    url: str | tuple[str, ...], kinds: tuple[str, ...], selectors: str, follow: str, folder: Path
) -> _Plan:
    given = {each: canonical(each) for each in ((url,) if isinstance(url, str) else url)}
    if wrong := [each for each, there in given.items() if there is None] or ([] if given else [""]):
        raise SettingsError(f"scraper: url: {wrong[0]!r} is no URL of a page; write https://host/path")
    if follow:
        found_by(follow)
    found = files.read(folder / selectors) if selectors else None
    names = wanted(kinds) if kinds or not selectors else frozenset[str]()
    leads = tuple(s for s in (follow, found.next if found else "") if s)
    urls = tuple(dict.fromkeys(there for there in given.values() if there))
    return _Plan(urls, names, found, leads, content_id(repr(found), *sorted(names)))


class _Found(Struct, frozen=True):
    """An item and the page that it stands on."""

    item: Item
    url: str
    page: Page


def _read(came: Came, plan: _Plan, walk: Walk) -> Iterator[_Found | Drop]:
    """The items of a page, and its links into the walk."""
    response = came.response
    page, url = read(response.body, response.url, response.charset), canonical(response.url) or response.url
    tree = parse(response.text)
    if tree is None:
        yield Drop(NOTHING)
        return
    if not page.nofollow:
        for lead in plan.leads:
            yield from walk.lead(links(tree, url, lead))
    if (
        reason := UNCHANGED
        if not came.renewed
        else opted_out(url, response.headers, page, came.robots, came.site)
    ):
        yield Drop(reason)
        return
    yield from (_Found(i, url, page) if isinstance(i, Item) else Drop(i) for i in _items(tree, url, plan))


def _items(tree: Any, url: str, plan: _Plan) -> Iterator[Item | str]:
    """What the page has, or why it has nothing."""
    some = False
    for item in picked(tree, url, plan.selectors) if plan.selectors else ():
        some = True
        yield item
    if plan.kinds:
        found = find(tree, url)
        for thing in items(found.things, plan.kinds):
            some = True
            yield thing if thing.text else NO_TEXT
        some = some or bool(found.faults)
        yield from found.faults
    if not some:
        yield NO_ITEM if plan.selectors else NOTHING


def _record(found: _Found, gap: Gap, subject: Callable[[str], str]) -> Record:
    """An item as a Record: whom it is by stands there as an opaque key alone."""
    item, page = found.item, found.page
    label = item.label if gap.task else ""
    return Record(
        text=item.text,
        source="scraper",
        uri=found.url,
        subject=subject(item.person) if item.person else "",
        license=item.license or page.license,
        labels={gap.task: label} if label else {},
        labelled_by="seed" if label else "",
        meta={"lang": page.lang, **item.meta} if page.lang else item.meta,
    )


def explain(url: str, *, web: Web) -> str:
    """Whether a page may be taken, as its site says now."""
    return verdict(web, url)

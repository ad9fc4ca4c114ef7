"""Search engines: a gap's words are searched for, and what promises most for the gap is fetched."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from openflywheel.base.nouns import Drop, Exchange, Gap, Paid, Record
from openflywheel.base.settings import Budget, Task
from openflywheel.collect._frontier.record import Objects
from openflywheel.collect._providers import brave as brave_search
from openflywheel.collect._providers.account import need
from openflywheel.collect._providers.brave import Brave
from openflywheel.collect._providers.brightdata import serp
from openflywheel.collect._providers.brightdata.serp import Serp
from openflywheel.collect._providers.orders import Orders, book_of, key_of, owed, take
from openflywheel.collect._providers.product import Result, Search, SearchLater
from openflywheel.collect._providers.purse import Purse
from openflywheel.collect._providers.records import of_pages, of_words
from openflywheel.collect._providers.searxng import SearXNG
from openflywheel.collect._providers.wanted import Wanted
from openflywheel.collect._site.verdict import verdict
from openflywheel.collect._streams import Stream
from openflywheel.collect._value.personal import Detect
from openflywheel.collect._value.queries import queries as words_of
from openflywheel.collect._value.sought import failing
from openflywheel.collect._web.web import Web

Provider = Literal["searxng", "brave", "brightdata"]
Hits = Generator[Drop | Paid, None, list[Result]]
PRICES = {"searxng": 0.0, "brave": brave_search.PRICE, "brightdata": serp.PRICE}


def search(
    gap: Gap,
    *,
    provider: Provider,
    url: str = "",
    key: str = "",
    zone: str = "",
    engines: tuple[str, ...] = (),
    queries: int = 3,
    results: int = 10,
    fetch: bool = True,
    price: float | None = None,
    wait: float = 0.0,
    web: Web,
    objects: Objects,
    workspace: Path,
    state: dict[str, Any],
    encoder: Any,
    known: Callable[[], Sequence[str]],
    exchanges: Callable[[Sequence[str]], Mapping[str, Exchange]],
    detect: Detect,
    subject: Callable[[str], str],
    tasks: Mapping[str, Task],
    budget: Budget,
) -> Iterator[Record | Drop | Paid]:
    """Ask `queries` queries a gap, and take the best `results` pages of all that they found.

    `provider` is "searxng" (`url` of your instance; `engines` of it, all that are on if none), "brave"
    (`key`) or "brightdata" (`key`, `zone` of its SERP API). Results are ranked by what they promise for the
    gap, then fetched from their sites, whose robots.txt and reservations hold; without `fetch` the engine's
    titles and descriptions are the Records. What may be personal is taken out of a query.

    `price` is dollars a query, if it is not the list price; what would cost more than is left of
    wheel.budget.dollars is not asked. With `wait`, seconds, Bright Data answers later: what is not ready by
    then is taken and paid the next time. Raises SettingsError, SourceFailed.
    """
    engine = _engine(provider, web, url, key, zone, engines, price)
    wanted = Wanted(gap=gap, encoder=encoder, known=known, exchanges=exchanges, tasks=tasks, budget=budget)
    words = words_of(gap, failing(gap, exchanges), queries, detect=detect)
    if isinstance(engine, Serp) and wait > 0:
        orders = Orders(state, book_of(workspace, "search", provider, url, zone, fetch))
        purse = Purse(budget, orders.owed())
        hits = yield from _later(engine, words, orders, purse, key_of(provider, zone), wait)
    else:
        hits = yield from _now(engine, words, Purse(budget, owed(workspace)), provider)
    best = wanted.best(hits, results)
    yield from of_pages(best, "search", web, objects, subject) if fetch else of_words(best, "search")


def check(
    *,
    provider: Provider,
    url: str,
    key: str,
    zone: str,
    engines: tuple[str, ...],
    price: float | None,
    web: Web,
) -> None:
    """Does the engine know us? Brave bills a query for it. Raises SettingsError, SourceFailed."""
    _engine(provider, web, url, key, zone, engines, price).check()


def discover(
    gap: Gap,
    *,
    provider: Provider,
    queries: int,
    results: int,
    price: float | None,
    exchanges: Callable[[Sequence[str]], Mapping[str, Exchange]],
    detect: Detect,
) -> Iterator[Stream]:
    """The queries that would be asked; nothing is sent."""
    each = PRICES[provider] if price is None else price
    for words in words_of(gap, failing(gap, exchanges), queries, detect=detect):
        yield Stream(words, dollars=each, note=f"asked at {provider}; the best {results} of all are taken")


def _engine(
    provider: Provider, web: Web, url: str, key: str, zone: str, engines: Sequence[str], price: float | None
) -> Search:
    each = PRICES[provider] if price is None else price
    if provider == "searxng":
        need(provider, url=url)
        return SearXNG(web, url, engines, each)
    need(provider, key=key)
    if provider == "brave":
        return Brave(web, key, url, each)
    need(provider, zone=zone)
    return Serp(web, key, zone, url, each)


def _now(engine: Search, queries: Sequence[str], purse: Purse, provider: str) -> Hits:
    """Results of queries that are answered at once."""
    hits: list[Result] = []
    for words in queries:
        if refused := purse.refuse(engine.price, f"a query at {provider}"):
            yield refused
            break
        hits += engine.search(words)
        if engine.price:
            yield Paid(engine.price, provider)
    return hits


def _later(
    engine: SearchLater, queries: Sequence[str], orders: Orders, purse: Purse, place: str, wait: float
) -> Hits:
    """Results of queries that are sent now, and paid when they are taken."""
    for words in queries:
        wish = key_of(place, words)
        if orders.is_open(wish):
            continue
        if refused := purse.refuse(engine.price, "a query at brightdata"):
            yield refused
            break
        orders.place(wish, engine.order(words), dollars=engine.price)
    hits: list[Result] = []
    for order, found in take(engine, orders, wait):
        if isinstance(found, Drop):
            yield found
        else:
            yield Paid(order.dollars, "brightdata")
            hits += found
    return hits


def explain(url: str, *, web: Web) -> str:
    """Whether a page may be taken, as its site says now."""
    return verdict(web, url)

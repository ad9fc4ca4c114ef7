"""Pages that Bright Data's Discover API ranks by what they are for: the gap in words is the intent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openflywheel.base.nouns import Drop, Exchange, Gap, Paid, Record
from openflywheel.base.settings import Budget, Task
from openflywheel.collect._frontier.record import Objects
from openflywheel.collect._providers import product
from openflywheel.collect._providers.account import need
from openflywheel.collect._providers.brightdata.discover import PRICE, Discover
from openflywheel.collect._providers.orders import Orders, book_of, key_of, take
from openflywheel.collect._providers.purse import Purse
from openflywheel.collect._providers.records import of_pages, of_words
from openflywheel.collect._providers.wanted import Wanted
from openflywheel.collect._site.verdict import verdict
from openflywheel.collect._streams import Stream
from openflywheel.collect._value.personal import Detect, impersonal
from openflywheel.collect._value.queries import queries
from openflywheel.collect._value.sought import failing
from openflywheel.collect._web.web import Web

SHOWN = 5  # failing examples in an intent
LONGEST = 2_000  # characters of an intent


def discover(
    gap: Gap,
    *,
    key: str,
    url: str = "",
    country: str = "",
    results: int = 20,
    content: bool = True,
    price: float = PRICE,
    wait: float = 60.0,
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
    """Order at most `results` pages for a gap; its topic, why and failing examples say what they are for.

    `content`: the pages come from the provider as text; else they are fetched from their sites, whose
    robots.txt and reservations hold. `country` is two letters. `price` is dollars a result: what would cost
    more than is left of wheel.budget.dollars is not ordered. What is not ready after `wait` seconds is taken
    the next time and not paid twice. What may be personal is taken out before it is sent.
    Raises SettingsError, SourceFailed.
    """
    need("brightdata", key=key)
    provider: product.Discover = Discover(web, key, url, country)
    orders = Orders(state, book_of(workspace, "discover", url, country, content))
    wanted = Wanted(gap=gap, encoder=encoder, known=known, exchanges=exchanges, tasks=tasks, budget=budget)
    query, intent = _asked(gap, failing(gap, exchanges), detect)
    wish = key_of(query, intent, country, results, content)
    if not orders.is_open(wish):
        what, dollars = f"{results} results of brightdata's discover", results * price
        if refused := Purse(budget, orders.owed()).refuse(dollars, what):
            yield refused
        else:
            id = provider.order(query, intent, most=results, content=content)
            orders.place(wish, id, dollars=dollars)
    for _, found in take(provider, orders, wait):
        if isinstance(found, Drop):
            yield found
            continue
        yield Paid(len(found) * price, "brightdata")
        if content:
            yield from of_words(found, "discover")
        else:
            yield from of_pages(wanted.best(found, results), "discover", web, objects, subject)


def check(*, key: str, url: str, web: Web) -> None:
    """Is the key known? Free. Raises SettingsError, SourceFailed."""
    need("brightdata", key=key)
    Discover(web, key, url).check()


def discover_(
    gap: Gap,
    *,
    results: int,
    price: float,
    exchanges: Callable[[Sequence[str]], Mapping[str, Exchange]],
    detect: Detect,
) -> Iterator[Stream]:
    """What would be ordered; nothing is sent. The underscore is there as the source has the name."""
    query, intent = _asked(gap, failing(gap, exchanges), detect)
    yield Stream(query, items=results, dollars=results * price, note=intent)


def _asked(gap: Gap, failing: Sequence[str], detect: Detect) -> tuple[str, str]:
    """The query, and the intent: what we could not answer, in words."""
    query = next(iter(queries(gap, failing, 1, detect=detect)), "")
    shown = [text for f in (*gap.queries, *failing)[:SHOWN] if (text := impersonal(f, detect))]
    said = [f"Pages that answer questions about: {impersonal(gap.topic, detect)}."]
    said += [f"Why they are needed: {impersonal(gap.why, detect)}."] if gap.why else []
    said += [f"Questions that we failed to answer: {'; '.join(shown)}"] if shown else []
    return query or impersonal(gap.topic, detect), " ".join(said)[:LONGEST]


def explain(url: str, *, web: Web) -> str:
    """Whether a page may be taken, as its site says now."""
    return verdict(web, url)

"""Rows of Bright Data's datasets: bought from its marketplace, or collected afresh for given inputs."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.nouns import Drop, Gap, Paid, Record
from openflywheel.base.settings import Budget
from openflywheel.collect._providers.account import need
from openflywheel.collect._providers.brightdata import datasets, scrape
from openflywheel.collect._providers.brightdata.datasets import Datasets
from openflywheel.collect._providers.brightdata.scrape import Scrape
from openflywheel.collect._providers.deal import Deal
from openflywheel.collect._providers.orders import Orders, book_of, key_of
from openflywheel.collect._providers.product import Marketplace, Offer, Refused
from openflywheel.collect._providers.product import Scrape as Collector
from openflywheel.collect._providers.purse import Purse
from openflywheel.collect._providers.rows import Row
from openflywheel.collect._rows.record import Columns, Subject, record
from openflywheel.collect._streams import Stream
from openflywheel.collect._web.web import Web

Inputs = tuple[dict[str, Any], ...]
CHOOSE = (
    "collect.marketplace: no dataset is named. See all of them, with prices:  flywheel collect --dry-run  "
    "and name one by its id or name in  dataset:"
)
USEFUL = 0.5  # of a sample's rows must become Records, else the rest is not bought

log = logging.getLogger("openflywheel")


def marketplace(
    gap: Gap,
    *,
    dataset: str = "",
    key: str,
    url: str = "",
    filter: dict[str, Any] | None = None,
    inputs: Inputs = (),
    records: int = 1_000,
    sample: int = 0,
    deliver: dict[str, Any] | None = None,
    text: str | tuple[str, ...] = "text",
    label: str = "label",
    uri: str = "url",
    person: str = "",
    published: str = "",
    meta: tuple[str, ...] | None = None,
    price: float | None = None,
    wait: float = 60.0,
    web: Web,
    workspace: Path,
    state: dict[str, Any],
    subject: Subject,
    budget: Budget,
) -> Iterator[Record | Drop | Paid]:
    """Buy at most `records` rows of a `dataset` (its id, or its name in the catalogue), once.

    Without a `dataset` nothing can be bought: `flywheel collect --dry-run` lists all there are.
    `filter` is Bright Data's own ({"name": "rating", "operator": "<", "value": 3}); none takes all rows. With
    `inputs` ({"url": ...}, {"keyword": ...}) rows are collected afresh instead. A `sample` of so many rows is
    bought first, and the rest only if half of them became Records. With `deliver` ({"type": "s3", ...}) the
    rows go there, for the source `delivery` to read. `text`, `label`, `uri`, `person` (kept as an opaque key
    alone), `published` and `meta` name columns.

    `price` is dollars a row, if it is not the list price: what would cost more than is left of
    wheel.budget.dollars is not bought. What is not ready after `wait` seconds is taken the next time and not
    paid twice. Raises SettingsError, SourceFailed.
    """
    need("brightdata", key=key)
    if not dataset:
        raise SettingsError(CHOOSE)
    shop = _Shop(Datasets(web, key, url), Scrape(web, key, url), dataset, filter, inputs, deliver)
    columns = Columns(text=text, label=label, uri=uri, person=person, published=published, meta=meta)
    shop.require(columns)
    kept = state.setdefault("collected" if inputs else "bought", {})
    orders = Orders(kept, book_of(workspace, "marketplace", url, dataset, filter, inputs, deliver))
    deal = Deal(
        job=shop,
        orders=orders,
        purse=Purse(budget, orders.owed()),
        price=_price(price, inputs),
        wait=wait,
        make=partial(_record, columns=columns, gap=gap, dataset=dataset, subject=subject),
        cost=shop.cost,
    )
    if sample:
        yield from _try(deal, shop, sample, gap.task, kept)
    if not sample or kept.get("tried") == shop.wish(sample):
        yield from deal.buy(shop.wish(records), shop.most(records), gap.task, partial(shop.order, records))
        for _, things in deal.take():
            yield from things


def check(*, dataset: str, key: str, url: str, web: Web) -> None:
    """Is the key known, and the dataset there, if one is named? Free. Raises SettingsError, SourceFailed."""
    need("brightdata", key=key)
    market = Datasets(web, key, url)
    if dataset:
        _offer(market, dataset)
    else:
        market.check()


def discover(
    _: Gap,
    *,
    dataset: str,
    key: str,
    url: str,
    inputs: Inputs,
    records: int,
    price: float | None,
    web: Web,
) -> Iterator[Stream]:
    """What would be bought, at most, and its price; all of the catalogue while no dataset is named. Free."""
    need("brightdata", key=key)
    market = Datasets(web, key, url)
    for offer in [_offer(market, dataset)] if dataset else market.offers():
        items = records if inputs else min(records, offer.size or records)
        yield Stream(
            f"{offer.id} {offer.name}".strip(),
            items=items,
            dollars=items * _price(price, inputs),
            columns=_columns(market, offer),
            note=f"{len(inputs)} inputs" if inputs else f"of {offer.size:,} rows",
        )


def _columns(market: Marketplace, offer: Offer) -> tuple[str, ...]:
    """The names of its columns; none where the provider tells none of a dataset."""
    try:
        return tuple(market.columns(offer.id))
    except Refused as error:
        log.warning("collect: %s", error)
        return ()


def _try(
    deal: Deal, shop: "_Shop", sample: int, task: str, kept: dict[str, Any]
) -> Iterator[Record | Drop | Paid]:
    """Buy the sample; `tried` names it in the state when it was of use."""
    yield from deal.buy(shop.wish(sample), shop.most(sample), task, partial(shop.order, sample))
    for order, things in deal.take():
        yield from things
        if order.key == shop.wish(sample) and not deal.orders.is_open(order.key):
            useful = sum(isinstance(thing, Record) for thing in things)
            if useful >= USEFUL * sum(not isinstance(thing, Paid) for thing in things):
                kept["tried"] = order.key
            else:
                yield Drop("sample of little use")


def _price(price: float | None, inputs: Inputs) -> float:
    return price if price is not None else scrape.PRICE if inputs else datasets.PRICE


def _record(
    row: Row, task: str, *, columns: Columns, gap: Gap, dataset: str, subject: Subject
) -> Record | Drop:
    """A row as a Record; what was ordered for another gap is labelled for that one's task."""
    asked = gap if gap.task == task else Gap(topic=gap.topic, why=gap.why, task=task)
    return record(row, asked, columns, source="marketplace", uri=f"brightdata:{dataset}", subject=subject)


def _offer(market: Marketplace, dataset: str) -> Offer:
    """A dataset of the catalogue by its id or its name. Raises SettingsError."""
    offers = market.offers()
    for offer in offers:
        if dataset in (offer.id, offer.name):
            return offer
    if dataset == scrape.CRAWL:  # the crawler is no product of the catalogue
        return Offer(id=dataset, name="crawl")
    said = suggest(dataset, [name for offer in offers for name in (offer.id, offer.name)])
    raise SettingsError(f"collect.marketplace: there is no dataset {dataset!r}; {said}")


class _Shop(Struct, frozen=True):
    """What is bought, and where: the job of a deal."""

    market: Marketplace
    collector: Collector
    dataset: str
    filter: Mapping[str, Any] | None
    inputs: Inputs
    deliver: Mapping[str, Any] | None

    def require(self, columns: Columns) -> None:
        """Before anything is paid. Raises SettingsError for columns that are not there."""
        if self.inputs and self.deliver:
            raise SettingsError("collect.marketplace: deliver is for bought rows; leave it or inputs out")
        if not self.inputs:
            columns.require(self.market.columns(self._id()), f"dataset {self.dataset}")

    def wish(self, most: int) -> str:
        """The name of an order of at most so many rows."""
        return key_of(self.dataset, self.filter, self.inputs, self.deliver, most)

    def most(self, wanted: int) -> int:
        """Rows that an order can bring at most. Raises SourceFailed."""
        size = 0 if self.inputs else _offer(self.market, self.dataset).size
        return min(wanted, size or wanted)

    def order(self, most: int) -> str:
        """Order at most so many rows. Raises SourceFailed."""
        if self.inputs:
            return self.collector.order(self._id(), self.inputs[:most], {"limit_multiple_results": str(most)})
        return self.market.order(self._id(), self.filter or self._all(), most=most)

    def take(self, id: str) -> Sequence[Row | Drop] | None:
        """The rows, or none of them once they are delivered elsewhere; None while they are not ready."""
        if self.inputs:
            return self.collector.take(id)
        if not self.deliver:
            return self.market.take(id)
        if not self.market.is_ready(id):
            return None
        self.market.deliver(id, self.deliver)
        return ()

    def cost(self, id: str) -> float | None:
        """What the provider says that it took; it says nothing of collected rows."""
        return None if self.inputs else self.market.cost(id)

    def _id(self) -> str:
        return _offer(self.market, self.dataset).id

    def _all(self) -> dict[str, Any]:
        """A filter that every row passes: the API wants one."""
        return {"name": next(iter(self.market.columns(self._id()))), "operator": "is_not_null"}

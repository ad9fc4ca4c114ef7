"""Prices from what was sold at which price: elasticity, bounds, and a reason for each suggestion."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import Struct

from openflywheel.base.errors import SettingsError
from openflywheel.base.forms.number import number
from openflywheel.base.forms.price import Item, Objective, Policy, Pricing
from openflywheel.base.items import ITEM, PRICE
from openflywheel.base.nouns import Model, Row
from openflywheel.customize import Lesson
from openflywheel.customize._price.elasticity import (
    Sale,
    Shared,
    fitted,
    overdispersion,
    shared,
    varied,
)

KINDS = ("number",)
BASE = "log-log"
LEAST_WEIGHT = 1e-3  # of a row: expected sales are told apart by it


def price(
    lesson: Lesson,
    *,
    objective: Objective = "revenue",
    outcome: Literal["quantity", "value"] = "quantity",
    reach: float = 1.0,
    floor: float = 0.0,
    artefacts: Path,
) -> Model:
    """A price for each item, by an elasticity of demand that items share in part.

    A row is an observation: meta "item" (else its text), meta "price", perhaps meta "cost", and as its label
    the `outcome`: the quantity that was sold at that price, or its value in money. Rows without a price are
    left out. The price suggested serves the `objective`; it leaves the prices that were tried by a factor of
    `reach` at most, and leaves the share `floor` of it above the cost. It moves only where the whole 90 %
    interval of the elasticity says so; an item whose price never varied keeps its own.

    Prices that were set where demand was high, or low, look less, or more, elastic than they are: vary them
    by chance where you can. Sources: Talluri & van Ryzin 2004; Bijmolt, van Heerde & Pieters 2005.

    The report holds "elasticity" (mean of the items), "between" (its standard deviation among them), "items",
    "priced" (those whose price varied), "rows", "ignored", and "mae" beside "mae_of_mean": the error in each
    item's last quantity, said from those before. Raises SettingsError when no price ever varied, a number is
    none, or a setting is out of its range.
    """
    start = time.process_time()
    _check(reach, floor)
    seen = _seen(lesson, outcome)
    sales = {item: [one.sale for one in each] for item, each in seen.items()}
    if not any(map(varied, sales.values())):
        raise SettingsError(
            f"task {lesson.dataset.task!r}: not enough is known, for no item that was sold had two prices"
        )
    slopes, all_items = elasticities(sales)
    items = {item: _item(each, slopes.get(item)) for item, each in seen.items()}
    report = {
        "elasticity": all_items.mean,
        "between": all_items.between**0.5,
        "items": float(len(items)),
        "priced": float(len(slopes)),
        "rows": float(sum(map(len, seen.values()))),
        "ignored": float(len(lesson.rows) - sum(map(len, seen.values()))),
        **_foretold(sales),
    }
    made = Pricing(items, Policy(objective, reach, floor))
    return _kept(lesson, made, report, artefacts, start)


class Seen(Struct, frozen=True):
    """One observation of an item, and what it cost then."""

    sale: Sale
    cost: float | None


def _check(reach: float, floor: float) -> None:
    if not 1 <= reach < inf:
        raise SettingsError(f"customize.price: reach = {reach:g}; give a factor of at least 1, such as 1.1")
    if not 0 <= floor < 1:
        raise SettingsError(f"customize.price: floor = {floor:g}; give a share from 0 to less than 1")


def _seen(lesson: Lesson, outcome: str) -> dict[str, list[Seen]]:
    """Item -> its observations, the oldest first."""
    seen = defaultdict[str, list[Seen]](list)
    for row in sorted(lesson.rows, key=lambda row: row.at):
        if PRICE in row.meta:
            price = _positive(row, PRICE, row.meta[PRICE])
            said = _number(row, lesson.dataset.task, row.labels[lesson.dataset.task])
            cost = _number(row, "cost", row.meta["cost"]) if "cost" in row.meta else None
            sale = Sale(price, said / price if outcome == "value" else said, max(row.weight, LEAST_WEIGHT))
            seen[row.meta.get(ITEM, row.text).strip()].append(Seen(sale, cost))
    return seen


def _positive(row: Row, name: str, said: str) -> float:
    value = _number(row, name, said)
    if not value:
        raise SettingsError(f"row {row.id}: {name} = {said!r}; a price is above 0")
    return value


def _number(row: Row, name: str, said: str) -> float:
    value = number(said)
    if not value >= 0:
        raise SettingsError(f"row {row.id}: {name} = {said!r} is no number of at least 0, such as 12.5")
    return value


def elasticities(sales: Mapping[str, Sequence[Sale]]) -> tuple[dict[str, tuple[float, float]], Shared]:
    """Item -> its elasticity and standard deviation, for those whose price varied; and what all share.

    The price of at least one must have varied.
    """
    fits = {item: fitted(each) for item, each in sales.items() if varied(each)}
    kappa = overdispersion(list(fits.values()))
    own = {item: fit.own(kappa) for item, fit in fits.items()}
    all_items = shared(list(own.values()))
    return {item: all_items.pulled(one) for item, one in own.items()}, all_items


def _item(seen: Sequence[Seen], slope: tuple[float, float] | None) -> Item:
    prices = [one.sale.price for one in seen]
    costs = [one.cost for one in seen if one.cost is not None]
    elasticity, deviation = slope or (None, 0.0)
    return Item(
        price=prices[-1],
        lowest=min(prices),
        highest=max(prices),
        sales=len(prices),
        prices=len(set(prices)),
        cost=costs[-1] if costs else None,
        elasticity=elasticity,
        deviation=deviation,
    )


def _foretold(sales: Mapping[str, Sequence[Sale]]) -> dict[str, float]:
    """Mean error in each item's last quantity, said from those before; and of who says their mean."""
    before = {item: each[:-1] for item, each in sales.items() if varied(each[:-1])}
    if not before:
        return {}
    slopes, _ = elasticities(before)
    away, plain = [], []
    for item, known in before.items():
        last = sales[item][-1]
        weight = np.array([sale.weight for sale in known])
        sold = np.array([sale.quantity for sale in known])
        demand = np.array([sale.price / last.price for sale in known]) ** slopes[item][0]
        away.append(abs(last.quantity - float(weight @ sold / (weight @ demand))))
        plain.append(abs(last.quantity - float(np.average(sold, weights=weight))))
    return {"mae": float(np.mean(away)), "mae_of_mean": float(np.mean(plain))}


def _kept(lesson: Lesson, made: Pricing, report: dict[str, float], artefacts: Path, start: float) -> Model:
    dataset = lesson.dataset
    place = made.keep(
        artefacts,
        method="price",
        task=dataset.task,
        kind=lesson.kind,
        base={"name": BASE},
        taught_by=[dataset.id],
        report=report,
    )
    return lesson.model("price", place, base=BASE, report=report, start=start)

"""A price for an item, with the range that is likely best and a reason in words."""

from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from msgspec import Struct, to_builtins
from msgspec import convert as read_as
from numpy.typing import NDArray

from openflywheel.base.instruments import artefact

FORM = "price"
Z = 1.645  # standard deviations on both sides that hold 90 %
Objective = Literal["revenue", "margin"]


class Policy(Struct, frozen=True):
    """What a price is for, and where it must stay.

    reach: the highest price is the highest that was seen times this, the lowest the lowest divided by it.
    floor: the least share of the price that must remain above an item's cost.
    """

    objective: Objective = "revenue"
    reach: float = 1.0
    floor: float = 0.0


class Item(Struct, frozen=True):
    """What is known of an item: its price now, the prices that were seen, its cost per piece.

    `elasticity` (per cent of quantity for each per cent of price) with its standard deviation is None when
    the price never varied.
    """

    price: float
    lowest: float
    highest: float
    sales: int
    prices: int
    cost: float | None = None
    elasticity: float | None = None
    deviation: float = 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """A 90 % interval of the elasticity, the most elastic end first."""
        middle = self.elasticity or 0.0
        return middle - Z * self.deviation, middle + Z * self.deviation


class Suggestion(Struct, frozen=True):
    """A price, the 90 % interval of the best one within its bounds, and why."""

    price: float
    low: float
    high: float
    reason: str


class Pricing(Struct, frozen=True):
    """Prices of known items (answers.Estimating: what is asked is an item's id)."""

    items: dict[str, Item]
    policy: Policy

    def estimates(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Price, low and high of each item, shape (len(texts), 3); not a number for one that is unknown."""
        said = (self.suggested(text.strip()) for text in texts)
        return np.array([(s.price, s.low, s.high) for s in said], np.float64).reshape(-1, 3)

    def reason(self, item: str) -> str:
        """Why this price is suggested, in words."""
        return self.suggested(item).reason

    def suggested(self, item: str) -> Suggestion:
        """A price that is surely better in direction, else the present one."""
        if item not in self.items:
            return Suggestion(nan, nan, nan, f"nothing is known of an item {item!r}: it was never sold")
        known = self.items[item]
        low, high = bounds(known, self.policy)
        if lacking := _lacking(known, self.policy, low, high):
            return Suggestion(known.price, min(low, known.price), max(high, known.price), lacking)
        return _moved(known, self.policy, low, high)

    def keep(self, folder: Path, **manifest: Any) -> Path:
        """Write it as an artefact; `manifest` is kept beside it."""
        said = {"form": FORM, "policy": to_builtins(self.policy), "items": to_builtins(self.items)}
        return artefact.keep(folder, {**said, **manifest})

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read it back. Raises StoreError."""
        said = artefact.manifest(place)
        return cls(read_as(said["items"], dict[str, Item]), read_as(said["policy"], Policy))


def bounds(item: Item, policy: Policy) -> tuple[float, float]:
    """Lowest and highest price that may be suggested; the lowest is above the highest when the cost is."""
    least = item.cost / (1 - policy.floor) if item.cost is not None else 0.0
    return max(item.lowest / policy.reach, least), item.highest * policy.reach


def best_price(elasticity: float, item: Item, policy: Policy, low: float, high: float) -> float:
    """What maximises the objective within the bounds, demand being price^elasticity.

    Revenue falls with the price where the elasticity is below -1. Margin is highest at
    cost * elasticity / (1 + elasticity) (Talluri & van Ryzin 2004, section 7.3.3), and has no highest point
    where the elasticity is -1 or above.
    """
    if elasticity >= -1:
        return high
    wanted = _cost(item, policy) * elasticity / (1 + elasticity)
    return min(max(wanted, low), high)


def _lacking(item: Item, policy: Policy, low: float, high: float) -> str:
    """What is not enough for a suggestion; empty where there is enough."""
    kept = f"kept at {_money(item.price)}"
    if low > high:
        left = f"leaves {policy.floor:.0%} above its cost of {_money(item.cost)}"
        return f"{kept}: no price within what was tried {left}"
    if item.elasticity is None:
        return f"{kept}: not enough is known, for in {item.sales} sales its price never varied"
    if policy.objective == "margin" and item.cost is None:
        return f"{kept}: not enough is known, for its cost is missing"
    return ""


def _moved(item: Item, policy: Policy, low: float, high: float) -> Suggestion:
    """The present price where the best one may lie on either side of it, else one that is surely better."""
    first, last = sorted(best_price(end, item, policy, low, high) for end in item.ends)
    if first <= item.price <= last:
        open_ = f"the best price lies between {_money(first)} and {_money(last)}"
        why = open_ if first < last else "it is the best within the bounds"
        return Suggestion(item.price, first, last, f"kept at {_money(item.price)}: {why}; {_demand(item)}")
    price = _safe(item, policy, best_price(item.elasticity or 0.0, item, policy, low, high), first, last)
    verb = "raise" if price > item.price else "lower"
    said = [
        f"{verb} it from {_money(item.price)} to {_money(price)}: {_gain(item, policy, price)}",
        _demand(item),
        *_bound(item, policy, price, low, high),
    ]
    return Suggestion(price, first, last, "; ".join(said))


def _safe(item: Item, policy: Policy, best: float, first: float, last: float) -> float:
    """The best price, or, where it may lose something, the end of the interval that is nearer.

    The objective has one top, so on the way to the nearer end it rises for every elasticity inside.
    """
    if item.price <= _cost(item, policy):
        return best
    loses = any(_change(end, item, policy, best) < 0 for end in item.ends)
    return min(first, last, key=lambda end: abs(end - item.price)) if loses else best


def _demand(item: Item) -> str:
    first, last = item.ends
    return (
        f"sales change by {item.elasticity:.1f} % for each 1 % of price (90 %: {first:.1f} to {last:.1f}, "
        f"from {item.sales} sales at {item.prices} prices and what the other items show)"
    )


def _gain(item: Item, policy: Policy, price: float) -> str:
    if item.price <= _cost(item, policy):
        return "it is sold at or below its cost"
    first, last = sorted(_change(end, item, policy, price) for end in item.ends)
    return (
        f"{policy.objective} {_change(item.elasticity or 0.0, item, policy, price):+.0%} "
        f"(90 %: {first:+.0%} to {last:+.0%})"
    )


def _change(elasticity: float, item: Item, policy: Policy, price: float) -> float:
    """Of the objective, as a share of the present one."""
    cost = _cost(item, policy)
    return float((price - cost) / (item.price - cost) * (price / item.price) ** elasticity - 1)


def _cost(item: Item, policy: Policy) -> float:
    """What counts against a price."""
    return (item.cost or 0.0) if policy.objective == "margin" else 0.0


def _money(value: float | None) -> str:
    value = value or 0.0
    return f"{value:.2f}" if value >= 1 else f"{value:.3g}"


def _bound(item: Item, policy: Policy, price: float, low: float, high: float) -> list[str]:
    """What keeps the price from going further."""
    if price == high:
        return [f"no higher was tried than {_money(item.highest)}" + _times(policy)]
    if price == low and low > item.lowest / policy.reach:
        return [f"at least {policy.floor:.0%} must remain above the cost of {_money(item.cost)}"]
    if price == low:
        return [f"no lower was tried than {_money(item.lowest)}" + _times(policy)]
    return []


def _times(policy: Policy) -> str:
    return f", by a factor of {policy.reach:g} at most" if policy.reach != 1 else ""


def opened(place: Path) -> Pricing:
    """One that was kept. Raises StoreError."""
    return Pricing.read(place)

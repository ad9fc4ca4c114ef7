"""Demand of each item as a power of its price; items lend each other strength.

Quantity = exp(a_i) * price^e_i, with a constant elasticity e_i (Talluri & van Ryzin 2004, The Theory and
Practice of Revenue Management, section 7.3). Each item is fitted by Poisson pseudo-likelihood, which takes
quantities of 0 (Santos Silva & Tenreyro 2006, Review of Economics and Statistics 88:641). The variance of
sales is expected + kappa * expected^2, with one kappa for all items (Cameron & Trivedi 2013, section 3.4).
Then each elasticity is pulled towards the mean of all, by empirical Bayes.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.optimize import brentq

Wide = NDArray[np.float64]

# Mean of 1,851 elasticities of 81 studies (Bijmolt, van Heerde & Pieters 2005, Journal of Marketing Research
# 42:141), with a wide spread: what is believed of elasticities before any price was seen.
TYPICAL, SPREAD = -2.62, 2.0
HOLD = 0.01  # one over the variance of a normal prior on each slope: nothing sold at a price is not infinity
KAPPA, KNOWN = 0.1, 4.0  # sales vary by a third beyond chance, as if four sales had shown it


class Sale(Struct, frozen=True):
    """How much was sold of an item at a price, and how much this counts."""

    price: float
    quantity: float
    weight: float = 1.0


class Own(Struct, frozen=True):
    """What an item's own sales say: its elasticity and the variance of that."""

    elasticity: float
    variance: float


class Shared(Struct, frozen=True):
    """Mean elasticity of all items, the variance of that mean, and the variance between items."""

    mean: float
    variance: float
    between: float

    def pulled(self, own: Own) -> tuple[float, float]:
        """An item's elasticity and its standard deviation: what all say and what its sales say together."""
        trust, belief = 1 / own.variance, 1 / (self.between + self.variance)
        return (trust * own.elasticity + belief * self.mean) / (trust + belief), (trust + belief) ** -0.5


class Fit(Struct, frozen=True):
    """One item: elasticity, log prices about the mean of expected sales, sold and expected quantities."""

    slope: float
    price: Wide
    sold: Wide
    expected: Wide
    weight: Wide

    def own(self, kappa: float) -> Own:
        """With the variance by the sandwich formula, sales varying as all items' do."""
        varies = self.weight**2 * (self.expected + kappa * self.expected**2)
        known = float((self.weight * self.expected * self.price**2).sum()) + HOLD
        return Own(self.slope, (float((varies * self.price**2).sum()) + HOLD) / known**2)


def varied(sales: Sequence[Sale]) -> bool:
    """Whether an item's sales can say anything of its elasticity: two prices, and something sold."""
    return len({sale.price for sale in sales}) > 1 and any(sale.quantity for sale in sales)


def fitted(sales: Sequence[Sale]) -> Fit:
    """Poisson pseudo-likelihood of an item whose price `varied`.

    The level is profiled out, so the slope is the one root of a falling function, and the bracket is sure.
    """
    price = np.log([sale.price for sale in sales])
    sold = np.array([sale.quantity for sale in sales], float)
    weight = np.array([sale.weight for sale in sales], float)
    total = float((weight * sold).sum())

    def chances(slope: float) -> Wide:
        chance: Wide = weight * np.exp(slope * price - (slope * price).max())
        whole: Wide = chance / chance.sum()
        return whole

    def rises(slope: float) -> float:
        return float((weight * sold - total * chances(slope)) @ price) - HOLD * (slope - TYPICAL)

    reach = total * float(np.ptp(price)) / HOLD + 1
    slope = float(brentq(rises, TYPICAL - reach, TYPICAL + reach))
    chance = chances(slope)
    return Fit(slope, price - chance @ price, sold, total * chance / weight, weight)


def overdispersion(fits: Sequence[Fit]) -> float:
    """Kappa: how much more sales vary than by chance, as a share of expected quantity squared, at least 0."""
    away = sum(float((fit.weight * ((fit.sold - fit.expected) ** 2 - fit.expected)).sum()) for fit in fits)
    squares = sum(float((fit.weight * fit.expected**2).sum()) for fit in fits)
    rows = sum(len(fit.sold) for fit in fits)
    free = max(rows - 2 * len(fits), 0)
    seen = away / squares * rows / free if free else 0.0
    return max((free * seen + KNOWN * KAPPA) / (free + KNOWN), 0.0)


def shared(each: Sequence[Own]) -> Shared:
    """Mean and spread of elasticities, the published ones counting as one more item.

    The spread solves the equation of Paule & Mandel (1982, Journal of Research of the NBS 87:377).
    """
    own = np.array([one.elasticity for one in each])
    variance = np.array([one.variance for one in each])

    def mean(between: float) -> tuple[float, float]:
        trust = 1 / (variance + between)
        whole = trust.sum() + SPREAD**-2
        return float(((trust * own).sum() + TYPICAL * SPREAD**-2) / whole), float(1 / whole)

    def excess(between: float) -> float:
        away = (own - mean(between)[0]) ** 2 / (variance + between)
        return float(away.sum()) + SPREAD**2 / between - len(own)

    most = 10 * (float(((own - TYPICAL) ** 2).sum()) + SPREAD**2) + 1
    between = float(brentq(excess, 1e-9, most))
    return Shared(*mean(between), between)

"""Elasticities of items that lend each other strength."""

import numpy as np
import pytest

from openflywheel.customize._price.elasticity import (
    KAPPA,
    SPREAD,
    TYPICAL,
    Own,
    Sale,
    Shared,
    fitted,
    overdispersion,
    shared,
    varied,
)


def sold(slope, n=20, level=20.0, noise=0.3, seed=0):
    """Sales of one item at prices about 10, with chance and a swing of demand."""
    random = np.random.default_rng(seed)
    prices = 10 * np.exp(0.15 * random.normal(size=n))
    swing = np.exp(noise * random.normal(size=n) - noise**2 / 2)
    quantities = random.poisson(level * (prices / 10) ** slope * swing)
    return [Sale(float(p), float(q)) for p, q in zip(prices, quantities, strict=True)]


def test_demand_without_noise_gives_its_elasticity():
    sales = [Sale(p, 1e6 * p**-1.7) for p in (4.0, 5.0, 7.0, 9.0)]
    fit = fitted(sales)
    assert fit.slope == pytest.approx(-1.7, abs=1e-3)
    np.testing.assert_allclose(fit.expected, fit.sold, rtol=1e-3)


def test_the_fit_has_the_highest_likelihood():
    sales = sold(-2.0)
    fit = fitted(sales)
    price, quantity = (np.array([getattr(s, name) for s in sales]) for name in ("price", "quantity"))

    def likelihood(slope):
        expected = price**slope * quantity.sum() / (price**slope).sum()
        return float((quantity * np.log(expected) - expected).sum()) - 0.01 * (slope - TYPICAL) ** 2 / 2

    assert all(likelihood(fit.slope) > likelihood(fit.slope + step) for step in (-0.1, -0.01, 0.01, 0.1))


def test_a_weight_of_two_is_a_sale_seen_twice():
    sales = sold(-1.0, n=6)
    weighed = [Sale(sales[0].price, sales[0].quantity, 2.0), *sales[1:]]
    assert fitted(weighed).slope == pytest.approx(fitted([sales[0], *sales]).slope)


@pytest.mark.parametrize("quantities", [(5, 0), (0, 5), (1e6, 0)])
def test_nothing_sold_at_a_price_is_not_infinity(quantities):
    fit = fitted([Sale(p, q) for p, q in zip((9.0, 10.0), quantities, strict=True)])
    assert np.isfinite(fit.slope)
    assert np.sign(fit.slope - TYPICAL) == np.sign(quantities[1] - quantities[0])
    assert fit.own(0.1).variance > 1


def test_one_price_or_nothing_sold_says_nothing():
    assert not varied([Sale(5, 3), Sale(5, 4)])
    assert not varied([Sale(5, 0), Sale(6, 0)])
    assert varied([Sale(5, 0), Sale(6, 1)])


@pytest.mark.parametrize(("noise", "kappa"), [(0.0, 0.0), (0.3, 0.094), (0.6, 0.43)])
def test_the_swing_of_demand_is_found(noise, kappa):
    fits = [fitted(sold(-1.5, n=40, noise=noise, seed=seed)) for seed in range(60)]
    assert overdispersion(fits) == pytest.approx(kappa, abs=0.2 * kappa + 0.01)


def test_two_sales_an_item_say_nothing_of_their_swing():
    assert overdispersion([fitted([Sale(9, 5), Sale(10, 4)])]) == KAPPA


def test_sales_that_swing_say_less_of_the_elasticity():
    fit = fitted(sold(-2.0))
    assert fit.own(1.0).variance > 3 * fit.own(0.0).variance


def test_an_item_is_pulled_to_the_mean_by_as_much_as_it_is_unsure():
    everyone = Shared(mean=-2.0, variance=0.0, between=0.25)
    assert everyone.pulled(Own(-1.0, 0.25)) == pytest.approx((-1.5, 0.125**0.5))
    sure, unsure = everyone.pulled(Own(-1.0, 1e-6))[0], everyone.pulled(Own(-1.0, 100.0))[0]
    assert sure == pytest.approx(-1.0, abs=1e-4)
    assert unsure == pytest.approx(-2.0, abs=0.01)


def test_the_published_elasticities_count_as_one_item():
    assert shared([Own(TYPICAL, 1e-4)]).between ** 0.5 == pytest.approx(SPREAD, rel=0.02)
    alone = shared([Own(-1.0, 0.01)])
    assert TYPICAL < alone.mean < -1.0
    many = shared([Own(-1.0, 0.01)] * 200)
    assert many.mean == pytest.approx(-1.0, abs=0.02)
    assert many.between < 0.05


def test_the_spread_between_items_is_found():
    random = np.random.default_rng(0)
    each = [Own(float(random.normal(-2, 0.7) + random.normal(0, 0.5)), 0.25) for _ in range(400)]
    found = shared(each)
    assert found.mean == pytest.approx(-2, abs=0.1)
    assert found.between**0.5 == pytest.approx(0.7, abs=0.1)
    assert 0 < found.variance < 0.01


def test_intervals_hold_the_truth_and_pooling_brings_it_nearer():
    inside, pooled, alone = [], [], []
    for seed in range(4):
        random = np.random.default_rng(100 + seed)
        truth = random.normal(-1.8, 0.6, size=50)
        fits = [fitted(sold(e, n=10, seed=seed * 50 + i)) for i, e in enumerate(truth)]
        kappa = overdispersion(fits)
        own = [fit.own(kappa) for fit in fits]
        everyone = shared(own)
        for each, right in zip(own, truth, strict=True):
            mean, deviation = everyone.pulled(each)
            inside.append(abs(mean - right) < 1.645 * deviation)
            pooled.append((mean - right) ** 2)
            alone.append((each.elasticity - right) ** 2)
    assert 0.84 < np.mean(inside) < 0.96  # of 200; .9 is meant
    assert np.mean(pooled) < 0.6 * np.mean(alone)

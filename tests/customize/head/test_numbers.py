"""Numbers with intervals, taught on rows."""

import numpy as np
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.customize._head.numbers import numbers, parsed
from openflywheel.customize._head.taught import Material


def material(n=200, noise=0.3, seed=0, people=None):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 8))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    y = 10 + 3 * x[:, 0] + noise * random.normal(size=n)
    who = people or [str(i) for i in range(n)]
    return Material("price", [repr(float(v)) for v in y], x, np.ones(n, np.float32), who, "e"), y


def test_the_figures_are_those_of_rows_that_were_left_out():
    known, y = material()
    taught = numbers(known)
    report = taught.report
    assert 0.2 < report["mae"] < 0.35  # noise of .3 has a mean distance of .24
    assert report["rmse"] > report["mae"]
    assert report["mae_of_mean"] == pytest.approx(np.abs(y - y.mean()).mean())
    assert report["rows"] == 200
    fresh, right = material(seed=1)
    value, low, high = taught.made.estimates(fresh.vectors).T
    assert np.abs(value - right).mean() == pytest.approx(report["mae"], abs=0.05)
    assert (low <= value).all()
    assert (value <= high).all()


def test_coverage_that_is_reported_holds_on_fresh_rows():
    inside, told = [], []
    for seed in range(6):
        known, y = material(n=400, seed=seed)
        first = Material(
            "price", known.right[:200], known.vectors[:200], known.weight[:200], known.people[:200], "e"
        )
        taught = numbers(first)
        _, low, high = taught.made.estimates(known.vectors[200:]).T
        inside += ((low <= y[200:]) & (y[200:] <= high)).tolist()
        told.append(taught.report["coverage"])
        assert taught.report["width"] == pytest.approx((high - low).mean(), rel=0.15)
    assert 0.86 < np.mean(inside) < 0.95  # of 1,200
    assert np.mean(told) == pytest.approx(np.mean(inside), abs=0.04)


def test_more_noise_gives_wider_intervals():
    calm, loud = (numbers(material(noise=noise)[0]).report["width"] for noise in (0.1, 1.0))
    assert loud > 4 * calm


def test_noise_alone_is_no_better_than_the_mean():
    known, _ = material()
    random = np.random.default_rng(5)
    shuffled = [known.right[i] for i in random.permutation(200)]
    report = numbers(Material("price", shuffled, known.vectors, known.weight, known.people, "e")).report
    assert report["mae"] > 0.93 * report["mae_of_mean"]
    assert report["coverage"] > 0.85


def test_a_persons_own_level_does_not_make_intervals_too_narrow():
    """Ten people with a level each: folds by rows would know the level of whom they judge."""
    random = np.random.default_rng(2)
    who = np.arange(300) % 30
    x = random.normal(size=(30, 16))[who] + 0.05 * random.normal(size=(300, 16))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    y = [repr(float(v)) for v in random.normal(size=30)[who]]
    by_person, by_row = (
        numbers(Material("price", y, x, np.ones(300, np.float32), people, "e")).report["width"]
        for people in ([str(i) for i in who], [str(i) for i in range(300)])
    )
    assert by_person > 2 * by_row


def test_three_people_are_enough_for_intervals_that_hold_the_fourth():
    """Each has a level of their own, which rows of the others do not tell."""
    known, y = material(people=[str(i % 3) for i in range(200)], noise=0.0)
    level = np.arange(200) % 3 * 5.0
    names = [repr(float(v)) for v in y + level]
    apart, by_row = (
        numbers(Material("price", names, known.vectors, known.weight, people, "e"))
        for people in (known.people, [str(i) for i in range(200)])
    )
    assert apart.report["mae"] > by_row.report["mae"]
    assert set(apart.made.folds.tolist()) == {1, 2, 3}
    assert apart.made.weights.shape[1] == 4
    value, low, high = apart.made.estimates(known.vectors).T
    assert np.isfinite([value, low, high]).all()


def test_what_is_no_number_is_named():
    with pytest.raises(
        SettingsError, match="'price' is of the kind number, and has the label 'cheap'; write 12.5"
    ):
        parsed("price", ["1"] * 20 + ["cheap"])
    with pytest.raises(SettingsError, match="has 19 examples; a number needs 20"):
        parsed("price", ["1"] * 19)

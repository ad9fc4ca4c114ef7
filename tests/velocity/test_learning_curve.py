"""Planted curves are recovered, and data that are no curve do no harm."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from openflywheel.base.nouns import Exchange, Model, Reading
from openflywheel.velocity.learning_curve import learning_curve

DOUBLING = 100 * 2 ** np.arange(6)


def model(rows, task="route"):
    return Model(
        name=f"{task}-head", task=task, base="b", method="head", taught_by=(), report={"rows": float(rows)}
    )


def asked(model, confidence):
    return Exchange(
        episode="e", task=model.task, input="hi", output="x", variant=model.id, confidence=float(confidence)
    )


def past(points, task="route"):
    """What earlier turns have read."""
    for turn, (rows, accuracy) in enumerate(points):
        yield Reading(name="training_rows", value=float(rows), turn=turn, task=task)
        yield Reading(name="expected_accuracy", value=float(accuracy), turn=turn, task=task)


def read(log, points=(), task="route", seed=0):
    """All readings but rows and accuracy, after the last of the points has been lived through."""
    *before, (rows, accuracy) = points
    serving = model(rows, task)
    seen = log(
        turn=len(before),
        readings=list(past(before, task)),
        models={serving.id: serving},
        new_exchanges=[asked(serving, accuracy)],
    )
    found = {(r.name, r.task): r for r in learning_curve(seen, seed=seed)}
    assert found.pop(("training_rows", task)).value == rows
    assert found.pop(("expected_accuracy", task)).value == pytest.approx(float(accuracy))
    return found


def both(*given, **more):
    found = read(*given, **more)
    return found["learning_curve", "route"], found["learning_exponent", "route"]


def planted(c, a, b, sizes):
    return c - a * np.asarray(sizes, float) ** -b


@pytest.mark.parametrize(("c", "a", "b"), [(0.96, 3, 0.5), (0.9, 20, 1.0), (1.0, 2, 0.25)])
def test_a_noiseless_curve_is_found_again(log, c, a, b):
    curve, exponent = both(log, zip(DOUBLING, planted(c, a, b, DOUBLING), strict=True))
    assert curve.value == pytest.approx(planted(c, a, b, 6400), abs=1e-6)
    assert exponent.value == pytest.approx(b, abs=1e-6)
    assert curve.high - curve.low < 1e-3
    assert exponent.note == f"accuracy = {c:.3f} - {a:.3g} rows^-{b:.2f}"


def by_scipy(sizes, y):
    """An oracle: the forecast and exponent of scipy's curve_fit, bounded alike."""
    n = np.asarray(sizes) / sizes[-1]
    (c, a, b), _ = curve_fit(
        lambda n, c, a, b: c - a * n**-b, n, y, p0=(0.9, 0.1, 0.5),
        bounds=((0, 0, 1 / 64), (1, 10, 2)), xtol=1e-12, ftol=1e-12,
    )  # fmt: skip
    return c - a * 2**-b, b


@pytest.mark.parametrize(("c", "a", "b"), [(0.95, 3, 0.45), (0.9, 20, 1.0), (0.99, 1.5, 0.2)])
def test_the_fit_is_that_of_scipy(log, c, a, b):
    for seed in range(10):
        y = planted(c, a, b, DOUBLING) + np.random.default_rng(seed).normal(0, 0.004, 6)
        curve, exponent = both(log, zip(DOUBLING, y, strict=True))
        forecast, right = by_scipy(DOUBLING, y)
        assert curve.value == pytest.approx(forecast, abs=1e-3)
        assert exponent.value == pytest.approx(right, rel=0.03)  # the grid's step is 2 %


def test_a_rise_too_steep_for_any_curve_ends_at_the_bounds(log):
    sizes, y = [76, 86, 95, 98, 100], [0.09, 0.53, 0.90, 0.92, 1.0]
    curve, exponent = both(log, zip(sizes, y, strict=True))
    assert (curve.value, exponent.value) == pytest.approx(by_scipy(sizes, y), abs=1e-3)
    assert exponent.value == 2


@pytest.mark.parametrize(
    ("c", "a", "b", "sizes"),
    [
        (0.96, 3, 0.5, DOUBLING),
        (0.99, 2, 0.3, DOUBLING),
        (0.9, 20, 1.0, DOUBLING),
        (0.96, 3, 0.5, np.arange(100, 3001, 100)),
    ],
)
def test_truth_and_reading_at_twice_the_rows_lie_inside_in_most_of_40_runs(log, c, a, b, sizes):
    true = measured = exponents = 0
    goal = planted(c, a, b, 2 * sizes[-1])
    for seed in range(40):
        rng = np.random.default_rng(seed)
        y = planted(c, a, b, sizes) + rng.normal(0, 0.005, len(sizes))
        curve, exponent = both(log, zip(sizes, y, strict=True), seed=seed)
        true += curve.low <= goal <= curve.high
        measured += curve.low <= goal + rng.normal(0, 0.005) <= curve.high
        exponents += exponent.low <= b <= exponent.high
    assert true >= 32
    assert measured >= 31
    assert exponents >= 30


def test_more_noise_makes_a_wider_interval(log):
    def width(noise):
        y = planted(0.96, 3, 0.5, DOUBLING) + noise * np.array([1, -1, 1, -1, 1, -1])
        curve, _ = both(log, zip(DOUBLING, y, strict=True))
        return curve.high - curve.low

    assert 0 < width(0.002) < width(0.01)


@pytest.mark.parametrize("sizes", [1, 2, 4])
def test_under_five_sizes_it_refuses(log, sizes):
    points = [(100 * (i % sizes + 1), 0.5 + 0.01 * i) for i in range(9)]  # repeats are no new sizes
    found = read(log, points)
    assert set(found) == {("learning_curve", "route")}
    reading = found["learning_curve", "route"]
    assert reading.value == pytest.approx(0.58)  # the newest
    assert reading.note == f"not enough data: 5 sizes needed, {sizes} seen"
    assert (reading.low, reading.high) == (None, None)


def test_flat_data_forecast_themselves(log):
    curve, exponent = both(log, [(100 * n, 0.8) for n in range(1, 8)])
    assert curve.value == pytest.approx(0.8)
    assert (curve.low, curve.high) == pytest.approx((0.8, 0.8))
    assert exponent.value == 0
    assert exponent.note == "flat: no rise seen"


def test_a_falling_curve_counts_as_flat(log):
    curve, exponent = both(log, [(100 * n, 0.9 - 0.05 * n) for n in range(1, 8)])
    assert 0.55 < curve.value < 0.85
    assert exponent.value == 0


def test_one_jump_makes_the_forecast_unsure(log):
    curve, _ = both(log, [(100 * n, 0.9 if n == 7 else 0.5) for n in range(1, 8)])
    assert curve.high - curve.low > 0.2


def test_readings_at_one_size_count_as_their_mean(log):
    y = planted(0.96, 3, 0.5, DOUBLING)
    pairs = [(n, a + d) for n, a in zip(DOUBLING, y, strict=True) for d in (-0.004, 0.004)]
    curve, exponent = both(log, pairs)
    assert curve.value == pytest.approx(planted(0.96, 3, 0.5, 6400), abs=1e-6)
    assert exponent.value == pytest.approx(0.5)


def test_each_task_has_its_own_curve(log):
    one, other = model(100, "one"), model(900, "other")
    seen = log(
        turn=7,
        readings=[*past([(100 * n, 0.5) for n in range(1, 8)], "one")],
        models={m.id: m for m in (one, other)},
        new_exchanges=[asked(one, 0.5), asked(other, 0.8)],
    )
    found = {(r.name, r.task): r for r in learning_curve(seen, seed=0)}
    assert found["learning_curve", "one"].note.startswith("at 200 rows")
    assert found["learning_curve", "other"].note == "not enough data: 5 sizes needed, 1 seen"


def test_the_busiest_model_of_the_turn_is_the_one_that_is_read(log):
    old, new = model(100), model(200)
    seen = log(
        models={m.id: m for m in (old, new)},
        new_exchanges=[asked(old, 0.2), asked(new, 0.6), asked(new, 0.8)],
    )
    found = {r.name: r.value for r in learning_curve(seen, seed=0)}
    assert found["training_rows"] == 200
    assert found["expected_accuracy"] == pytest.approx(0.7)


def test_a_seed_repeats_itself_and_another_does_not(log):
    points = [(n, y) for n, y in zip(DOUBLING, [0.6, 0.75, 0.78, 0.86, 0.88, 0.91], strict=True)]
    assert both(log, points)[0].low == both(log, points)[0].low
    assert both(log, points)[0].low != both(log, points, seed=1)[0].low


def test_an_empty_log_people_and_models_without_a_report_say_nothing(log):
    silent = Model(name="m", task="route", base="b", method="head", taught_by=())
    person = Exchange(episode="e", task="route", input="hi", output="", variant="person")
    seen = log(models={silent.id: silent}, new_exchanges=[asked(silent, 0.5), person])
    assert list(learning_curve(log(), seed=0)) == []
    assert list(learning_curve(seen, seed=0)) == []


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 1)), min_size=1, max_size=12))
def test_any_points_give_shares_in_order(log, points):
    """Warnings are errors here, so this also says: no division by zero, no overflow."""
    found = read(log, points)
    for reading in found.values():
        assert math.isfinite(reading.value)
    curve = found["learning_curve", "route"]
    assert 0 <= curve.value <= 1
    assert (curve.low is None) == (len({n for n, _ in points}) < 5)
    if curve.low is not None:
        exponent = found["learning_exponent", "route"]
        assert 0 <= curve.low <= curve.value <= curve.high <= 1
        assert 0 <= exponent.low <= exponent.value <= exponent.high <= 2

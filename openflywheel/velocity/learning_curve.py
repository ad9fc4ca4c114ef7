"""What would twice the labels bring?"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.nouns import Reading
from openflywheel.velocity import Log

Floats = NDArray[np.float64]
Point = tuple[float, float]  # rows, accuracy

SIZES, RESAMPLES, LEVEL = 5, 200, 0.9  # fewer than 5 points cannot tell 3 parameters from noise
EXPONENTS = 2.0 ** np.arange(-6, 1 + 1 / 32, 1 / 32)  # 1/64 to 2 in steps of 2 %


def learning_curve(log: Log, *, seed: int) -> Iterator[Reading]:
    """Accuracy as a power law of training rows, accuracy = c - a rows^-b (Hestness et al. 2017, 1712.00409).

    training_rows: rows that taught the model which answered most of the turn's exchanges.
    expected_accuracy: mean of its calibrated confidence over those exchanges (unit: share). Its accuracy on
    rows that experts were asked about would say less: they are the hard ones, and ever harder.
    learning_curve: forecast of the expected accuracy at twice the rows, with a 90 % interval for what will be
    read there. Under 5 sizes: the newest accuracy, and a note.
    learning_exponent: b, with its 90 % interval; 0 when the curve is flat.
    """
    for task, (rows, accuracy) in _now(log).items():
        reading = partial(Reading, turn=log.turn, task=task)
        yield reading(name="training_rows", value=rows, unit="rows")
        yield reading(name="expected_accuracy", value=accuracy, unit="share")
        yield from _readings([*_before(log.readings, task), (rows, accuracy)], reading, seed)


def _now(log: Log) -> dict[str, tuple[float, float]]:
    """task -> rows behind its busiest model of this turn, and that model's mean confidence."""
    confidence: dict[tuple[str, str], list[float]] = {}
    for exchange in log.new_exchanges:
        if exchange.variant in log.models and "rows" in log.models[exchange.variant].report:
            confidence.setdefault((exchange.task, exchange.variant), []).append(exchange.confidence)
    busiest = sorted(confidence, key=lambda each: len(confidence[each]))
    return {task: (log.models[m].report["rows"], float(np.mean(confidence[task, m]))) for task, m in busiest}


def _before(readings: Sequence[Reading], task: str) -> list[Point]:
    """The same of earlier turns."""
    rows = {r.turn: r.value for r in readings if r.task == task and r.name == "training_rows"}
    return [
        (rows[r.turn], r.value)
        for r in readings
        if r.task == task and r.name == "expected_accuracy" and r.turn in rows
    ]


def _readings(seen: Sequence[Point], reading: partial[Reading], seed: int) -> Iterator[Reading]:
    rows, accuracy = seen[-1]
    points = _points(seen, rows)
    curve = partial(reading, name="learning_curve", unit="share")
    if len(points.n) < SIZES:
        yield curve(value=accuracy, note=f"not enough data: {SIZES} sizes needed, {len(points.n)} seen")
        return
    fit, others, noise = _bootstrap(points, np.random.default_rng(seed))
    twice = float(fit.at(2)[0])
    low, high = _interval(np.clip(others.at(2) + noise, 0, 1), twice)
    note = f"at {2 * rows:.0f} rows; now {accuracy:.3f} at {rows:.0f}, from {len(points.n)} sizes"
    yield curve(value=twice, low=low, high=high, note=note)
    c, a, b = (float(part[0]) for part in fit)
    note = f"accuracy = {c:.3f} - {a * rows**b:.3g} rows^-{b:.2f}"
    if np.ptp(fit.at(points.n)) < 1e-6:  # then any b fits as well
        b, note = 0.0, "flat: no rise seen"
    low, high = _interval(others.b, b)
    yield reading(name="learning_exponent", value=b, low=low, high=high, note=note)


class _Points(NamedTuple):
    """Sizes, with the newest as the unit, the mean accuracy at each, and how much each counts."""

    n: Floats
    accuracy: Floats
    weights: Floats


def _points(seen: Sequence[Point], unit: float) -> _Points:
    sizes, accuracy = np.array(seen).T
    n, place, counts = np.unique(sizes / unit, return_inverse=True, return_counts=True)
    return _Points(n, np.bincount(place, accuracy) / counts, counts.astype(float))


class _Curves(NamedTuple):
    """Curves c - a n^-b, one an entry."""

    c: Floats
    a: Floats
    b: Floats

    def at(self, n: float | Floats) -> Floats:
        return np.clip(self.c - self.a * n**-self.b, 0, 1)


def _fit(points: _Points, y: Floats) -> _Curves:
    """The least-squares curve through each row of y (shares), with 0 <= c <= 1 and a >= 0.

    Given b the curve is a line in n^-b, so its best c and a are known exactly; b is searched on a grid
    (variable projection, Golub & Pereyra 1973): no start value, and no iteration that could fail.
    """
    x, w = points.n[:, None] ** -EXPONENTS, points.weights / points.weights.sum()
    x_mean, y_mean = w @ x, (y @ w)[:, None]
    xx = w @ (x - x_mean) ** 2
    xy = ((y - y_mean) * w) @ (x - x_mean)
    a = np.maximum(-xy / xx, 0)
    through_1 = ((1 - y_mean) * x_mean - xy) / (xx + x_mean**2)  # the best a when c is held at 1
    a = np.where(y_mean + a * x_mean > 1, through_1, a)
    c = np.minimum(y_mean + a * x_mean, 1)
    loss = a * (2 * xy + a * xx) + (y_mean - c + a * x_mean) ** 2  # less the scatter of y: no b changes it
    best = np.arange(len(y)), loss.argmin(axis=1)
    return _Curves(c[best], a[best], EXPONENTS[best[1]])


def _bootstrap(points: _Points, rng: np.random.Generator) -> tuple[_Curves, _Curves, Floats]:
    """The fit, fits to resampled data, and for each of them the noise of a measurement at n = 2.

    Residual bootstrap (Efron 1979), residuals in units of their spread, widened by sqrt(k / chi2(k - 3)):
    a curve with 3 parameters lies nearer to its k points than the truth does, nobody knows by how much.
    """
    k, spread = len(points.n), points.weights**-0.5
    fit = _fit(points, points.accuracy[None])
    residuals = (points.accuracy - fit.at(points.n)) / spread
    drawn = rng.choice(residuals, (RESAMPLES, k + 1)) * np.sqrt(k / rng.chisquare(k - 3, (RESAMPLES, 1)))
    again = np.clip(fit.at(points.n) + drawn[:, :k] * spread, 0, 1)
    return fit, _fit(points, again), drawn[:, k]


def _interval(values: Floats, centre: float) -> tuple[float, float]:
    """The middle `LEVEL` of resampled values, and never without the value itself."""
    low, high = (float(q) for q in np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return min(low, centre), max(high, centre)

"""Rounds as rows: the median, and its interval from the lowest to the highest round.

From the lowest to the highest of n rounds lies the median with probability 1 - 2 / 2^n, whatever the
distribution: 97 % for 6 rounds (David & Nagaraja, Order Statistics, 3rd edition, 7.1).
"""

from collections.abc import Sequence
from statistics import median

from benchmarks.report import Row, at_most


def spread(row: str, values: Sequence[float], unit: str, bar: float | None = None) -> Row:
    """A row of one value a round; with a bar, the median must not be above it."""
    interval = (min(values), max(values))
    if bar is not None:
        return at_most(row, median(values), bar, unit, interval)
    return Row(row=row, value=median(values), unit=unit, interval=interval)


def not_run(row: str, why: str, unit: str, bar: float) -> Row:
    """A row with a bar that could not be measured."""
    return Row(row=f"{row} ({why})", value=None, unit=unit, bar=f"<= {bar:g}")

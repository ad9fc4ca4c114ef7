"""What the steps cost and let through, told as Readings."""

import pytest

from openflywheel.base.nouns import Reading
from openflywheel.curate._engine.stats import Stats
from openflywheel.curate._readings import readings


def told(*steps: Stats, **given_away: int) -> dict[str, Reading]:
    return {reading.name: reading for reading in readings(steps, given_away)}


def stats(step: str, took: int, cpu: float, **dropped: int) -> Stats:
    return Stats(step=step, took=took, cpu_seconds=cpu, dropped=dropped)


def test_a_step_has_a_cost_a_row_and_a_yield():
    found = told(stats("quality", 200, 0.5, short=30, menu=20))
    cost, went = found["curate.quality.cost"], found["curate.quality.yield"]
    assert (cost.value, cost.unit, cost.note) == (2.5, "CPU-ms a row", "200 rows in 0.50 CPU-s")
    assert (went.value, went.unit, went.note) == (0.75, "share", "20 menu, 30 short")


def test_the_slowest_has_most_of_the_cpu_and_not_the_highest_cost_a_row():
    slowest = told(stats("few", 1, 1.0), stats("many", 1_000, 3.0))["curate.slowest"]
    assert (slowest.note, slowest.value, slowest.unit) == ("many", 0.75, "share of CPU")


def test_a_step_that_dropped_nothing_gives_no_reasons():
    went = told(stats("normalise", 4, 0.1))["curate.normalise.yield"]
    assert (went.value, went.note) == (1.0, "")


def test_a_step_that_made_rows_is_not_judged_by_them():
    found = told(Stats(step="chunk", took=10, made=90, cpu_seconds=0.1))
    assert found["curate.chunk.yield"].value == 1.0
    assert found["curate.chunk.cost"].value == pytest.approx(10.0)


def test_a_step_without_rows_says_nothing():
    found = told(stats("extract", 0, 0.0), stats("length", 2, 0.1, short=2))
    assert set(found) == {"curate.length.cost", "curate.length.yield", "curate.slowest"}
    assert found["curate.length.yield"].value == 0.0


def test_where_nothing_was_measured_nobody_is_slowest():
    assert told() == {}
    assert "curate.slowest" not in told(stats("length", 3, 0.0))
    assert told(stats("length", 3, 0.0))["curate.length.cost"].value == 0.0


def test_texts_that_were_given_away_are_counted_and_the_worst_are_named():
    found = told(aa=1, bb=7, cc=2, dd=2)["curate.given_away"]
    assert (found.value, found.unit) == (12.0, "rows")
    assert found.note == "4 texts of holdouts; most: 7 bb, 2 cc, 2 dd"


def test_where_nothing_was_given_away_there_is_no_such_reading():
    assert "curate.given_away" not in told(stats("decontaminate", 5, 0.1))

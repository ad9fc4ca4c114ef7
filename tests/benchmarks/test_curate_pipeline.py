"""Rows of the pipeline benchmark from runs that are given."""

import json

import pytest

from benchmarks.curate import pipeline
from benchmarks.curate.metered import Spent
from benchmarks.curate.pages import Example
from benchmarks.curate.pipeline import Run


def run(side, cpu, kept=10, version="v", language=0.0):
    return Run(side, cpu, cpu, {"kept": kept, "version": version, "language": language})


def found(rows):
    return {row.row: row for row in rows}


def test_speed_is_the_median_of_the_rounds_of_that_side():
    runs = [run("careful", 2, 7), run("fast", 1, 99), run("careful", 4, 8), run("careful", 5, 8)]
    rows = found(pipeline._speed("careful", runs, 100))
    speed, kept = rows["careful: documents per CPU-s"], rows["careful: documents kept, of 100"]
    assert (speed.value, speed.interval) == (25, (20, 50))
    assert (kept.value, kept.interval) == (8, (7, 8))
    assert (speed.bar, kept.bar) == (None, None)


@pytest.mark.parametrize(
    ("versions", "value", "holds"), [("aaa", 1, True), ("aab", 0, False), ("a", 1, True), ("abc", 0, False)]
)
def test_all_rounds_must_make_one_version(versions, value, holds):
    runs = [run("careful", 1, version=v) for v in versions] + [run("fast", 1, version="other")]
    row = pipeline._same("careful", runs)
    assert (row.value, row.bar, row.holds) == (value, ">= 1", holds)


def test_ratios_are_within_rounds_and_once_without_the_language_step():
    theirs = [run("datatrove", cpu, language=telling) for cpu, telling in ((10, 4), (10, 2), (6, 1))]
    runs = [each for pair in zip(map(run, ["careful"] * 3, (1, 2, 1)), theirs, strict=True) for each in pair]
    whole, rest = pipeline._against("careful", runs)
    assert (whole.value, whole.interval, whole.bar, whole.holds) == (6, (5, 10), ">= 5", True)
    assert (rest.value, rest.interval, rest.bar) == (5, (4, 6), None)


@pytest.mark.parametrize(("tier", "times"), [("careful", 5), ("fast", 9)])
@pytest.mark.parametrize(("more", "holds"), [(0, True), (0.01, True), (-0.01, False)])
def test_each_tier_has_its_bar(tier, times, more, holds):
    whole, _ = pipeline._against(tier, [run(tier, 1), run("datatrove", times + more)])
    assert (whole.holds, whole.bar) == (holds, f">= {times}")


def test_a_round_without_its_peer_is_refused():
    with pytest.raises(ValueError, match="zip"):
        pipeline._against("careful", [run("careful", 1), run("careful", 1), run("datatrove", 5)])


def test_what_a_side_said_is_read_from_its_last_line(capsys):
    told = pipeline._told("fast", Spent(3.25, 9.0, json.dumps({"kept": 5, "version": "x"})))
    assert told == Run("fast", 3.25, 9.0, {"kept": 5, "version": "x"})
    assert capsys.readouterr().err == "fast: 3.2 CPU-s, 9.0 s, 5 documents kept\n"


def test_f1_is_the_mean_over_pages():
    pages = [Example("a", b"", "<p>one two"), Example("b", b"", "<p>three four")]
    assert pipeline._mean(["one two", "three"], pages) == pytest.approx((1 + 2 / 3) / 2)
    with pytest.raises(ValueError, match="zip"):
        pipeline._mean(["one two"], pages)

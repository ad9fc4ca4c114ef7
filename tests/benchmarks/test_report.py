"""One shape for every benchmark's output."""

import json
from argparse import ArgumentTypeError

import msgspec
import pytest

from benchmarks.report import PACKAGES, Row, at_least, at_most, finish, say, some_of

ROWS = [
    at_least("accuracy", 0.9, 0.88, "", (0.85, 0.95)),
    at_most("memory", 600, 500, "MB"),
    Row(row="speed (no GPU here)", value=None, unit="s", bar="<= 1"),
    Row(row="lines", value=6404, unit="lines"),
]


@pytest.mark.parametrize(("value", "least", "most"), [(1, False, True), (2, True, True), (3, True, False)])
def test_a_bar_holds_on_its_side_and_at_itself(value, least, most):
    assert at_least("x", value, 2, "").holds is least
    assert at_most("x", value, 2, "").holds is most
    assert (at_least("x", value, 2, "").bar, at_most("x", value, 2, "").bar) == (">= 2", "<= 2")


def test_as_json_the_last_line_is_one_object_with_every_row(capsys):
    say("progress")
    finish("mine", ROWS, 5, as_json=True, curve=[0.1, 0.2])
    out, err = capsys.readouterr()
    assert err == "progress\n"
    said = json.loads(out.splitlines()[-1])
    assert [msgspec.convert(r, Row) for r in said["rows"]] == ROWS
    assert (said["benchmark"], said["seeds"], said["curve"]) == ("mine", 5, [0.1, 0.2])
    assert said["cpu_seconds"] > 0
    assert said["peak_rss_mb"] > 10
    assert set(said["versions"]) == {"python", *PACKAGES}


def test_as_a_table_a_missed_bar_and_a_row_that_was_not_run_are_seen(capsys):
    finish("mine", ROWS, 5, as_json=False)
    lines = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if "│" in line}
    assert [cell.strip() for cell in lines["accuracy"].split("│")[2:-1]] == [
        "0.9", "0.85 to 0.95", ">= 0.88", "yes",
    ]  # fmt: skip
    assert "MISSED" in lines["memory"]
    assert "not run" in lines["speed (no GPU here)"]
    assert [cell.strip() for cell in lines["lines"].split("│")[2:-1]] == ["6404 lines", "", "", ""]


def test_an_option_names_some_of_several_things():
    read = some_of(("scrapy", "crawlee"))
    assert read("crawlee,scrapy") == ["crawlee", "scrapy"]
    with pytest.raises(ArgumentTypeError, match="scrappy: choose from scrapy, crawlee"):
        read("scrappy,crawlee")

import csv

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.collect._rows.table import LONGEST, table

LONG = "x" * 200_000


@pytest.fixture(params=[10, 131_072, 1 << 30])
def _others(request):
    """What somebody else in the process has made of csv's one limit."""
    before = csv.field_size_limit(request.param)
    yield
    csv.field_size_limit(before)


def test_rows_come_as_they_stand():
    lines = ["a,b\r\n", '"one, two","three\n', 'four"\n', "\n", "1\n", "1,2,3"]
    assert list(table(lines)) == [["a", "b"], ["one, two", "three\nfour"], [], ["1"], ["1", "2", "3"]]
    assert list(table(["a\tb;c\n"], delimiter="\t")) == [["a", "b;c"]]
    assert list(table([])) == []


@pytest.mark.usefixtures("_others")
def test_a_limit_holds_whatever_others_have_set():
    lines = ["a,b\n", f"{LONG},1\n", "c,d\n"]
    assert list(table(lines)) == [["a", "b"], [LONG, "1"], ["c", "d"]]
    assert list(table(lines, longest=1000)) == [["a", "b"], Drop("line too long"), ["c", "d"]]


def test_two_tables_that_are_read_in_turn_keep_their_limits():
    lines = ["a\n", f"{LONG}\n", "b\n"]
    both = list(zip(table(lines), table(lines, longest=1000), strict=True))
    assert both == [(["a"], ["a"]), ([LONG], Drop("line too long")), (["b"], ["b"])]


def test_a_quote_that_is_never_closed_costs_what_it_took():
    lines = ["a,b\n", 'one,"never\n', *["closed\n"] * 20, "two,2\n"]
    found = list(table(lines, longest=50))
    assert found[:2] == [["a", "b"], Drop("line too long")]
    assert found[-1] == ["two", "2"]
    assert list(table(['"open'])) == [["open"]]


def test_a_row_may_have_just_the_limit_and_the_next_one_counts_anew():
    assert list(table(["12345\n"] * 3, longest=6)) == [["12345"]] * 3
    assert list(table(["123456\n", "1\n"], longest=6)) == [Drop("line too long"), ["1"]]


def test_a_field_longer_than_the_longest_row_is_a_drop():
    assert list(table(["x" * (LONGEST + 1), "a"])) == [Drop("line too long"), ["a"]]


def test_a_return_inside_a_field_without_quotes_is_a_broken_row():
    assert list(table(["a\rb\n", "c\n"])) == [Drop("broken row"), ["c"]]


def test_what_the_lines_raise_is_theirs():
    def lines():
        yield "a\n"
        raise OSError("gone")

    rows = table(lines())
    assert next(rows) == ["a"]
    with pytest.raises(OSError, match="gone"):
        next(rows)

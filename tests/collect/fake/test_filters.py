"""Filter expressions over rows, operator by operator."""

from typing import Any

import pytest

from openflywheel.collect._fake.filters import BadFilter, matches

ROW = {"n": 3, "t": "Red kettle", "many": ["red", "blue"], "none": None}
COLUMNS = {"n": "number", "t": "text", "many": "array", "none": "text"}


@pytest.mark.parametrize(
    ("name", "operator", "value", "fits"),
    [
        ("n", "=", 3, True),
        ("n", "!=", 3, False),
        ("n", "<", 3, False),
        ("n", "<=", 3, True),
        ("n", ">", 2, True),
        ("n", ">=", 4, False),
        ("n", "in", [1, 3], True),
        ("n", "not_in", [1, 3], False),
        ("t", "includes", "KETTLE", True),
        ("t", "includes", ["pan", "red"], True),
        ("t", "not_includes", "kettle", False),
        ("many", "includes", "blu", True),
        ("many", "array_includes", "blue", True),
        ("many", "array_includes", "blu", False),
        ("many", "not_array_includes", "blu", True),
        ("none", "=", "x", False),
        ("none", "!=", "x", False),  # nothing can be said about what is not there
    ],
)
def test_an_operator(name: str, operator: str, value: Any, fits: bool) -> None:
    assert matches(ROW, {"name": name, "operator": operator, "value": value}, COLUMNS) is fits


@pytest.mark.parametrize(("name", "null"), [("none", True), ("n", False)])
def test_null_checks_take_no_value(name: str, null: bool) -> None:
    assert matches(ROW, {"name": name, "operator": "is_null"}, COLUMNS) is null
    assert matches(ROW, {"name": name, "operator": "is_not_null"}, COLUMNS) is not null


def test_groups_nest_three_levels() -> None:
    yes: dict[str, Any] = {"name": "n", "operator": "=", "value": 3}
    no = {"name": "n", "operator": "=", "value": 4}
    assert matches(ROW, {"operator": "or", "filters": [no, yes]}, COLUMNS)
    assert not matches(ROW, {"operator": "and", "filters": [no, yes]}, COLUMNS)
    nested = yes
    for _ in range(3):
        nested = {"operator": "and", "filters": [nested]}
    assert matches(ROW, nested, COLUMNS)
    with pytest.raises(BadFilter, match="nested deeper than 3"):
        matches(ROW, {"operator": "or", "filters": [nested]}, COLUMNS)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"name": "n"},
        {"name": "n", "operator": "="},
        {"name": "no", "operator": "=", "value": 1},
        {"operator": "not", "filters": []},
    ],
)
def test_what_is_no_filter_is_refused(wrong: Any) -> None:
    with pytest.raises(BadFilter):
        matches(ROW, wrong, COLUMNS)

import pytest

from openflywheel.collect._rows.path import at

ROW = {"a": {"b": [{"c": 1}, {"c": 2}]}, "a.b": "whole key", "n": None, "0": "key"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", ROW),
        ("a.b", "whole key"),
        ("a.b.0.c", 1),
        ("n", None),
        ("n.x", None),
        ("a.x.y", None),
        ("0", "key"),
        ("a.0", None),
    ],
)
def test_paths(path, value):
    assert at(ROW, path) == value


def test_positions_count_from_both_ends_and_end_at_the_list():
    rows = {"r": [{"c": 1}, {"c": 2}]}
    assert (at(rows, "r.0.c"), at(rows, "r.-1.c"), at(rows, "r.2.c"), at(rows, "r.-3.c")) == (
        1,
        2,
        None,
        None,
    )
    assert at(rows, "r.c") is None
    assert at("text", "0") is None

"""The order of a printed page's lines."""

import numpy as np
import pytest

from openflywheel.collect._files.layout import lines

HEIGHT, STEP = 10, 14


def line(left, right, row):
    top = 700 - STEP * row
    return [left, top - HEIGHT, right, top]


def read(*boxes):
    return [i for band in lines(np.array(boxes, float)) for i in band]


def two_columns(rows, first=1, last=290):
    """Line by line, as a file may have them: even positions on the left, odd ones on the right."""
    out = []
    for row in range(first, first + rows):
        out += [line(50, last, row), line(310, 550, row)]
    return out


def test_columns_are_read_one_after_the_other():
    assert read(*two_columns(4)) == [0, 2, 4, 6, 1, 3, 5, 7]


def test_what_stands_over_and_under_both_columns_stays_there():
    page = [line(100, 500, 0), *two_columns(3), line(50, 550, 5)]
    assert read(*page) == [0, 1, 3, 5, 2, 4, 6, 7]


def test_a_columns_last_line_may_be_short_or_missing():
    page = [*two_columns(4), line(50, 120, 5)]
    assert read(*page) == [0, 2, 4, 6, 8, 1, 3, 5, 7]


def test_three_columns():
    page = [line(left, left + 150, row) for row in range(3) for left in (50, 220, 390)]
    assert read(*page) == [0, 3, 6, 1, 4, 7, 2, 5, 8]


def test_columns_that_begin_again_under_a_heading():
    page = [*two_columns(3), line(50, 550, 5), *two_columns(3, first=6)]
    assert read(*page) == [0, 2, 4, 1, 3, 5, 6, 7, 9, 11, 8, 10, 12]


def test_a_line_of_several_pieces_is_one_line():
    page = [
        piece for row in range(4) for piece in (line(50, 160, row), line(163, 290, row), line(310, 550, row))
    ]
    assert lines(np.array(page, float))[:2] == [[0, 1], [3, 4]]


@pytest.mark.parametrize(
    "page",
    [
        [],
        [line(50, 550, row) for row in range(5)],
        [line(left, left + 40, row) for row in range(6) for left in (50, 200, 350)],
        [
            line(left, right, row)
            for row in range(6)
            for left, right in ((50, 290 if row == 0 else 90), (310, 550))
        ],
        two_columns(2),
    ],
    ids=["empty", "one column", "narrow cells", "cells that fill little", "two lines"],
)
def test_no_columns(page):
    assert lines(np.array(page, float).reshape(-1, 4)) == []


def test_no_piece_is_lost_or_read_twice():
    rng = np.random.default_rng(0)
    for _ in range(200):
        corner = rng.uniform(0, 500, (40, 2))
        page = np.hstack([corner, corner + rng.uniform(5, 80, (40, 2))])
        order = [i for band in lines(page) for i in band]
        assert not order or sorted(order) == list(range(40))

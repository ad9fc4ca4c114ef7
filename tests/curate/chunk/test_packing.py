from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._chunk.lines import BLOCK, ITEM, LETTERS, LINE, LONELY, SENTENCE, WHOLE, WORD
from openflywheel.curate._chunk.packing import FULL, Text, packed


def text(sizes: list[int], borders: list[int], closed: tuple[int, ...] = (), before: int = 0) -> Text:
    opened = np.ones(len(sizes), bool)
    opened[list(closed)] = False
    return Text(
        np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]),
        np.array(borders, np.uint8),
        opened,
        np.full(len(sizes), before, np.int64),
    )


def test_what_fits_is_one_chunk() -> None:
    assert packed(text([5, 5], [WHOLE, 1]), 10) == [0, 2]


def test_nothing_is_no_chunk() -> None:
    assert packed(text([], []), 10) == [0]


def test_of_equal_cuts_the_last_one_is_taken() -> None:
    assert packed(text([3] * 5, [WHOLE, BLOCK, BLOCK, BLOCK, BLOCK]), 10) == [0, 3, 5]


def test_the_higher_heading_is_taken_though_less_fits() -> None:
    assert packed(text([4, 3, 3, 4], [WHOLE, 2, 3, 3]), 13) == [0, 3, 4]
    assert packed(text([4, 3, 3, 4], [WHOLE, 3, 2, 3]), 13) == [0, 2, 4]


def test_but_not_where_the_chunk_would_be_less_than_half_full() -> None:
    sizes, borders = [2, 5, 4], [WHOLE, 1, BLOCK]
    assert packed(text(sizes, borders), 10) == [0, 2, 3]
    assert packed(text([5, 2, 4], borders), 10) == [0, 1, 3]
    assert FULL == 0.5


def test_if_no_cut_leaves_it_half_full_the_best_of_the_rest_is_taken() -> None:
    assert packed(text([2, 9], [WHOLE, BLOCK]), 10) == [0, 1, 2]


def test_a_closed_part_is_never_cut() -> None:
    assert packed(text([4, 4, 4], [WHOLE, BLOCK, LINE], closed=(2,)), 10) == [0, 1, 3]


def test_what_a_cut_breaks_is_weighed_in_this_order() -> None:
    order = [1, 6, BLOCK, ITEM, LINE, SENTENCE, WORD, LONELY, LETTERS]
    assert order == sorted(order)
    for better, worse in pairwise(order):
        assert packed(text([3, 3, 3, 3], [WHOLE, LETTERS, better, worse]), 11) == [0, 2, 4]


def test_what_is_repeated_takes_its_room_after_the_first_chunk() -> None:
    assert packed(text([5] * 4, [WHOLE, LINE, LINE, LINE]), 10) == [0, 2, 4]
    assert packed(text([5] * 4, [WHOLE, LINE, LINE, LINE], before=5), 10) == [0, 2, 3, 4]


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, LETTERS)), max_size=30), st.integers(10, 30))
def test_every_piece_is_in_one_chunk_and_every_chunk_fits(pieces: list[tuple[int, int]], limit: int) -> None:
    sizes, borders = [p[0] for p in pieces], [p[1] for p in pieces]
    cuts = packed(text(sizes, borders), limit)
    assert cuts[0] == 0
    assert cuts[-1] == len(pieces)
    assert all(a < b for a, b in pairwise(cuts))
    assert all(sum(sizes[a:b]) <= limit for a, b in pairwise(cuts))

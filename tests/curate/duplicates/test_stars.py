import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._duplicates.stars import stars
from openflywheel.curate._whole import WIDEST

ROWS = 9
edges = st.sets(
    st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1)).filter(lambda p: p[0] < p[1]), max_size=20
)


def stay(pairs: list[tuple[int, int]], count: int = ROWS) -> list[int]:
    return [int(row) for row in stars(np.array(pairs, np.int64).reshape(-1, 2), count)]


def one_by_one(pairs: set[tuple[int, int]]) -> list[int]:
    """The definition: from the best on, a row goes if it is like one that stays: for the best such."""
    out = []
    for row in range(ROWS):
        likes = [other for other in range(row) if (other, row) in pairs and out[other] == other]
        out.append(min(likes, default=row))
    return out


@given(edges)
@settings(max_examples=50, deadline=None)
def test_a_row_goes_only_for_one_that_stays_and_that_it_is_like(pairs: set[tuple[int, int]]) -> None:
    assert stay(sorted(pairs)) == one_by_one(pairs)


@given(edges, st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_pairs_makes_no_difference(pairs: set[tuple[int, int]], by: random.Random) -> None:
    mixed = [pair if by.random() < 0.5 else pair[::-1] for pair in by.sample(sorted(pairs), len(pairs))]
    assert stay(mixed) == stay(sorted(pairs))


def test_a_chain_joins_no_unlike_rows() -> None:
    assert stay([(0, 1), (1, 2), (2, 3), (3, 4)], 5) == [0, 0, 2, 2, 4]


def test_a_long_chain_is_cut_in_pairs() -> None:
    count = 100_000
    found = stay([(n, n + 1) for n in range(count - 1)], count)
    assert found == [n // 2 * 2 for n in range(count)]


def test_no_pairs_leave_all() -> None:
    assert stay([], 3) == [0, 1, 2]


def test_a_crowd_that_was_compared_with_one_row_alone_goes_for_its_best() -> None:
    hub, count = 7, WIDEST + 1
    assert stay([(min(hub, n), max(hub, n)) for n in range(count) if n != hub], count) == [0] * count


def test_a_row_with_fewer_likes_stands_for_nobody() -> None:
    hub, count = 7, WIDEST
    left = stay([(min(hub, n), max(hub, n)) for n in range(count) if n != hub], count)
    assert left == [0 if n == hub else n for n in range(count)]


def test_two_crowds_with_a_row_in_common_stay_two() -> None:
    """The row in common goes with the better crowd, and the other crowd keeps its own best."""
    size = WIDEST + 1
    first, second = range(size), range(size - 1, 2 * size)
    pairs = [(0, n) for n in first if n] + [(size, n) for n in second if n not in (size, size - 1)]
    pairs.append((size - 1, size))
    assert stay(pairs, 2 * size) == [0] * size + [size] * size

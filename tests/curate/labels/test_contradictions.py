from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._labels.contradictions import contradicted

Row = tuple[int, int, int, int]
"""Text, label, trust, subject."""


def doubts(rows: Sequence[Row]) -> dict[int, int]:
    same, label, trust, subject = (
        np.array(c, np.int64) for c in (zip(*rows, strict=True) if rows else [[]] * 4)
    )
    doubted, instead = contradicted(same.astype(np.uint64), label, trust, subject.astype(np.uint64))
    return dict(zip(doubted.tolist(), instead.tolist(), strict=True))


def test_two_equals_are_both_doubted() -> None:
    assert doubts([(1, 0, 2, 0), (1, 1, 2, 0), (2, 0, 2, 0)]) == {0: 1, 1: 0}


def test_the_more_trusted_is_not_doubted_however_few_they_are() -> None:
    assert doubts([(1, 0, 2, 0), (1, 0, 2, 0), (1, 1, 3, 0)]) == {0: 1, 1: 1}


def test_of_equally_trusted_people_most_are_not_doubted() -> None:
    assert doubts([(1, 0, 2, 1), (1, 0, 2, 2), (1, 1, 2, 3)]) == {2: 0}


def test_one_person_counts_once() -> None:
    assert doubts([(1, 0, 2, 7), (1, 0, 2, 7), (1, 1, 2, 8)]) == {0: 1, 1: 1, 2: 0}


def test_of_several_others_the_one_with_most_behind_it_is_named() -> None:
    assert doubts([(1, 0, 2, 0), (1, 1, 2, 0), (1, 2, 3, 0)]) == {0: 2, 1: 2}
    assert doubts([(1, 2, 2, 0), (1, 1, 2, 0), (1, 0, 2, 0)]) == {0: 0, 1: 0, 2: 1}


def test_nothing_contradicts_where_nothing_is() -> None:
    assert doubts([]) == {}


rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.integers(0, 2)), max_size=12
)


@settings(deadline=None)
@given(rows)
def test_a_label_that_stands_alone_at_the_top_is_never_doubted(some: list[Row]) -> None:
    found = doubts(some)
    for place, (text, label, _, _) in enumerate(some):
        others = [r for r in some if r[0] == text and r[1] != label]
        if not others:
            assert place not in found
        else:
            best = max(r[2] for r in others)
            own = max(r[2] for r in some if r[0] == text and r[1] == label)
            assert place in found or own >= best
            assert place not in found or found[place] in {r[1] for r in others}
            assert not (own > best and place in found)

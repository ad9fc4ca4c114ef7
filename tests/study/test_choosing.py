"""Which questions each way of choosing takes."""

import numpy as np
import pytest

from openflywheel.study._choosing import WAYS


def at(*degrees):
    """Unit vectors in the plane."""
    angles = np.deg2rad(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def chosen(way, vectors, doubts, k, known=None):
    known = at() if known is None else known
    return WAYS[way](vectors, np.array(doubts, float), known, k, np.random.default_rng(0))


@pytest.mark.parametrize("way", WAYS)
def test_more_is_never_chosen_than_there_is(way):
    assert sorted(chosen(way, at(0, 90), [1, 1], 30)) == [0, 1]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_asked_twice(way):
    found = chosen(way, at(*range(0, 90, 3)), np.linspace(0.1, 0.9, 30), 10, at(0))
    assert len(set(found)) == len(found) == 10


def test_doubt_takes_the_most_doubtful_though_they_are_alike():
    assert chosen("doubt", at(0, 1, 90), [0.8, 0.9, 0.5], 2) == [1, 0]


@pytest.mark.parametrize("way", ["process", "coverage", "error"])
def test_the_others_ask_near_copies_once(way):
    assert chosen(way, at(0, 1, 90), [0.8, 0.9, 0.7], 2) == [1, 2]


def test_coverage_takes_the_farthest_from_what_is_known_however_sure():
    assert chosen("coverage", at(10, 80, 170), [0.9, 0.9, 0.1], 2, known=at(0)) == [2, 1]


def test_error_takes_what_says_most_about_other_doubts():
    crowd, alone = at(0, 2, 4, 6, 8), at(90)
    found = chosen("error", np.concatenate([crowd, alone]), [0.5] * 5 + [0.7], 1)
    assert found[0] in range(5)


def test_what_is_known_is_left_alone():
    for way in ("process", "coverage", "error"):
        assert chosen(way, at(0, 90), [0.5, 0.45], 1, known=at(0, 1, -1)) == [1]

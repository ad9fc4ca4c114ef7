import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._extract.blocks import blocks, tree_of
from openflywheel.curate._extract.features import features
from openflywheel.curate._extract.trees import FILE, Trees, choose, load


def two_trees() -> Trees:
    """Does x[0] exceed 1, and x[1] exceed 2?"""
    return Trees(
        0.5,
        np.array([[0, 1], [1, 0]], np.uint8),
        np.array([[1, 2], [2, 1]], np.float32),
        np.array([[0, 1, 2, 3], [10, 20, 30, 40]], np.float32),
    )


def plain(trees: Trees, row: list[float]) -> float:
    said = trees.start
    for columns, cuts, leaves in zip(trees.columns, trees.cuts, trees.leaves, strict=True):
        leaf = 0
        for column, cut in zip(columns, cuts, strict=True):
            leaf = 2 * leaf + (row[column] > cut)
        said += float(leaves[leaf])
    return float(1 / (1 + np.exp(-said)))


def test_answers_are_the_bits_of_the_leaf() -> None:
    rows = [[0, 0], [0, 3], [2, 0], [2, 3], [1, 2]]
    assert two_trees().chances(np.array(rows, np.float32)).tolist() == pytest.approx(
        [plain(two_trees(), r) for r in rows]
    )


@pytest.mark.parametrize("tier", ["fast", "careful"])
def test_the_shipped_trees_read_alike_one_by_one_and_together(tier: str) -> None:
    trees = load()[tier]
    x = np.random.default_rng(0).normal(0, 2, (50, 105)).astype(np.float32)
    together = trees.chances(x)
    assert together.tolist() == pytest.approx([plain(trees, row.tolist()) for row in x])
    assert np.array_equal(together, np.concatenate([trees.chances(x[n : n + 1]) for n in range(50)]))


def test_the_shipped_trees_ask_for_features_that_there_are() -> None:
    _, columns = features([blocks(tree_of("<p>a"))])
    assert all(trees.columns.max() < len(columns) for trees in load().values())
    assert len(load()["careful"].leaves) == 4 * len(load()["fast"].leaves)


def test_the_file_is_small() -> None:
    assert FILE.stat().st_size < 30_000


def test_certain_blocks_are_kept_and_the_others_not() -> None:
    kept, expected = choose(np.array([0.99, 0.01, 0.98]), np.array([100, 100, 100]))
    assert kept.tolist() == [True, False, True]
    assert expected == pytest.approx(2 * 1.97 / (2 + 1.98))


def test_a_doubtful_page_keeps_what_may_be_text() -> None:
    kept, expected = choose(np.array([0.3, 0.25]), np.array([100, 100]))
    assert kept.all()
    assert expected < 0.5


def expected_f1(chances: list[float], size: list[int], kept: tuple[int, ...]) -> float:
    right = sum(chances[n] * size[n] for n in kept)
    return 2 * right / (sum(size[n] for n in kept) + sum(c * s for c, s in zip(chances, size, strict=True)))


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(1, 1_000)), min_size=1, max_size=7))
def test_no_other_choice_in_the_order_of_the_chances_is_expected_to_be_better(
    blocks: list[tuple[float, int]],
) -> None:
    chances, size = [c for c, _ in blocks], [s for _, s in blocks]
    kept, expected = choose(np.array(chances), np.array(size))
    order = sorted(range(len(blocks)), key=lambda n: -chances[n])
    options = [tuple(order[: n + 1]) for n in range(len(order))]
    assert expected == pytest.approx(max(expected_f1(chances, size, option) for option in options))
    assert expected == pytest.approx(expected_f1(chances, size, tuple(np.flatnonzero(kept))))

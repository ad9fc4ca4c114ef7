"""Gradient boosting for the extractor: what it learns, that it repeats itself, and what is shipped of it."""

import math

import numpy as np
import pytest

from benchmarks.curate import boosting, teach_extractor
from benchmarks.curate.boosting import Terms, boost, together
from openflywheel.curate._extract.trees import Trees, load

ALL = Terms(trees=40, depth=2, sample=1.0)  # all features are asked: a toy problem has few


def toy(rows, seed):
    """Four features; the answer is an exclusive or of two of them, which no single question tells."""
    x = np.random.default_rng(seed).normal(size=(rows, 4)).astype(np.float32)
    return x, ((x[:, 1] > 0.3) ^ (x[:, 2] > -0.2)).astype(float)


def same(one, other):
    return one.start == other.start and all(
        np.array_equal(getattr(one, part), getattr(other, part)) for part in ("columns", "cuts", "leaves")
    )


def logit(chances):
    return np.log(chances / (1 - chances))


@pytest.fixture(scope="module")
def learnt():
    x, y = toy(2_000, 0)
    return boost(x, y, np.ones(len(y)), ALL, 0)


def test_what_it_learns_holds_for_rows_that_it_has_not_seen(learnt):
    x, y = toy(2_000, 1)
    assert ((learnt.chances(x) > 0.5) == y).mean() > 0.95
    asked = np.bincount(learnt.columns.ravel(), minlength=4)
    assert asked[1] > asked[0]
    assert asked[2] > asked[3]


def test_the_same_seed_gives_the_same_trees_and_another_one_others():
    x, y = toy(400, 0)
    half = Terms(trees=5, depth=2, sample=0.5)  # the seed draws which features a tree may ask
    trees = [boost(x, y, np.ones(len(y)), half, seed) for seed in (3, 3, 4)]
    assert same(trees[0], trees[1])
    assert not same(trees[0], trees[2])


def test_a_tree_asks_no_feature_that_was_not_drawn_for_it():
    x, y = toy(400, 0)
    trees = boost(x, y, np.ones(len(y)), Terms(trees=30, depth=3, sample=0.25), 0)
    assert all(len(set(columns)) == 1 for columns in trees.columns.tolist())
    assert len(np.unique(trees.columns)) > 1


def test_the_first_leaves_are_the_newton_steps():
    """By hand: start log(.75 / .25); slopes -.75 and three of .25, curves .1875 each, ridge 1, rate .5."""
    x = np.array([[0], [0], [1], [1]], np.float32)
    y = np.array([0.0, 1, 1, 1])
    trees = boost(x, y, np.ones(4), Terms(trees=1, depth=1, rate=0.5, ridge=1, sample=1), 0)
    assert trees.start == pytest.approx(math.log(3))
    assert trees.leaves.tolist() == [pytest.approx([0.5 * -0.5 / 1.375, 0.5 * 0.5 / 1.375])]
    assert 0 <= trees.cuts[0, 0] < 1


def test_more_ridge_makes_smaller_steps():
    x, y = toy(300, 0)
    little, much = (
        boost(x, y, np.ones(len(y)), Terms(trees=1, depth=2, ridge=ridge, sample=1), 0) for ridge in (1, 100)
    )
    assert np.abs(much.leaves).max() < np.abs(little.leaves).max()


def test_without_anything_to_ask_everyone_gets_the_weighted_share():
    x, y = np.zeros((6, 3), np.float32), np.array([1.0, 0, 0, 0, 0, 1])
    weight = np.array([3.0, 1, 1, 1, 1, 1])
    assert boost(x, y, weight, ALL, 0).chances(x) == pytest.approx(np.full(6, 4 / 8))


def test_weights_count_by_their_ratio_and_rows_of_none_not_at_all():
    x, y = toy(400, 0)
    weight = np.random.default_rng(5).uniform(0.1, 1, len(y))
    base = boost(x, y, weight, ALL, 0)
    assert base.chances(x) == pytest.approx(boost(x, y, weight * 8, ALL, 0).chances(x), abs=1e-6)
    weight[::2] = 0
    turned = np.where(np.arange(len(y)) % 2 == 0, 1 - y, y)
    assert same(boost(x, y, weight, ALL, 0), boost(x, turned, weight, ALL, 0))


def test_shares_are_learnt_as_shares():
    x = np.repeat([[0.0], [1.0]], 500, axis=0).astype(np.float32)
    y = np.repeat([0.2, 0.7], 500)
    trees = boost(x, y, np.ones(1_000), Terms(trees=100, depth=1, sample=1), 0)
    assert trees.chances(x)[[0, -1]] == pytest.approx([0.2, 0.7], abs=0.01)


def test_a_bin_is_above_a_cut_where_the_value_is():
    """What is taught asks bins, what is shipped asks values."""
    x = np.random.default_rng(0).choice([0.1, 0.2, 0.3, 5.0], (500, 3)).astype(np.float32)
    x[:, 2] = np.random.default_rng(1).normal(size=500)
    grid = boosting._grid(x)
    for column, cuts in enumerate(grid.cuts):
        assert len(cuts) < boosting.BINS
        for number, cut in enumerate(cuts):
            assert np.array_equal(grid.bins[:, column] > number, x[:, column] > cut)


def test_chances_are_those_of_a_walk_from_question_to_question(learnt):
    x, _ = toy(50, 2)
    for row, chance in zip(x, learnt.chances(x), strict=True):
        said = learnt.start
        for columns, cuts, leaves in zip(learnt.columns, learnt.cuts, learnt.leaves, strict=True):
            answers = "".join(str(int(row[column] > cut)) for column, cut in zip(columns, cuts, strict=True))
            said += float(leaves[int(answers, 2)])
        assert chance == pytest.approx(1 / (1 + math.exp(-said)))


def test_several_together_say_the_mean_of_what_each_says(learnt):
    x, y = toy(500, 3)
    other = boost(x, y, np.ones(len(y)), Terms(trees=7, depth=2, sample=0.5), 9)
    both = together([learnt, other])
    mean = (logit(learnt.chances(x)) + logit(other.chances(x))) / 2
    assert logit(both.chances(x)) == pytest.approx(mean, abs=1e-4)
    assert len(both.columns) == 47


def test_what_is_written_for_the_package_says_the_same(learnt, tmp_path):
    x, y = toy(500, 4)
    fast = boost(x, y, np.ones(len(y)), Terms(trees=3, depth=2, sample=1), 1)
    teach_extractor.write({"fast": fast, "careful": learnt}, tmp_path / "trees.safetensors")
    read = load(tmp_path / "trees.safetensors")
    assert set(read) == {"fast", "careful"}
    assert isinstance(read["fast"], Trees)
    assert np.array_equal(read["careful"].chances(x), learnt.chances(x))
    assert np.array_equal(read["fast"].chances(x), fast.chances(x))


def test_the_same_trees_are_the_same_file(learnt, tmp_path):
    for name in ("one", "other"):
        teach_extractor.write({"fast": learnt, "careful": learnt}, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()

"""Gradient boosting of oblivious trees (Friedman, 2001; Prokhorenkova and others, 2018)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.curate._extract.trees import Trees

BINS = 32  # of a feature: its quantiles


class Terms(Struct, frozen=True):
    """`rate` shrinks each tree, `ridge` its leaves, `sample` is the share of features it may ask."""

    trees: int = 60
    depth: int = 4
    rate: float = 0.15
    ridge: float = 8.0
    sample: float = 0.25


class Grid(Struct, frozen=True):
    """Features as numbers of their bins, shape (rows, features), and what parts each feature's bins."""

    bins: NDArray[np.int64]
    cuts: list[NDArray[np.float32]]


class Slope(Struct, frozen=True):
    """First and second derivative of the loss, per row."""

    first: NDArray[np.float64]
    second: NDArray[np.float64]

    def summed(self, at: NDArray[np.int64], wide: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Sums over rows that are in one place."""
        return np.bincount(at, self.first, wide), np.bincount(at, self.second, wide)


def boost(
    x: NDArray[np.float32], y: NDArray[np.float64], weight: NDArray[np.float64], terms: Terms, seed: int
) -> Trees:
    """Trees for the chance `y` (0 to 1) of each row of `x`; the same seed gives the same trees."""
    random, grid, weight = np.random.default_rng(seed), _grid(x), weight / weight.mean()
    often = float(np.average(y, weights=weight))
    start = float(np.log(often / (1 - often)))
    said = np.full(len(y), start)
    trees, leaves = [], []
    for _ in range(terms.trees):
        chance = 1 / (1 + np.exp(-said))
        slope = Slope((y - chance) * weight, chance * (1 - chance) * weight)
        asked = random.choice(x.shape[1], int(x.shape[1] * terms.sample), replace=False)
        tree, leaf = _tree(grid, slope, asked, terms)
        first, second = slope.summed(leaf, 1 << terms.depth)
        value = terms.rate * first / (second + terms.ridge)
        said += value[leaf]
        trees.append(tree)
        leaves.append(value)
    return Trees(
        start,
        np.array([[column for column, _ in tree] for tree in trees], np.uint8),
        np.array([[grid.cuts[column][cut] for column, cut in tree] for tree in trees], np.float32),
        np.array(leaves, np.float32),
    )


def _grid(x: NDArray[np.float32]) -> Grid:
    quantiles = np.linspace(0, 1, BINS + 1)[1:-1]
    cuts = [np.unique(np.quantile(column, quantiles)).astype(np.float32) for column in x.T]
    return Grid(np.stack([np.searchsorted(c, column) for c, column in zip(cuts, x.T, strict=True)], 1), cuts)


def _tree(
    grid: Grid, slope: Slope, asked: NDArray[np.int64], terms: Terms
) -> tuple[list[tuple[int, int]], NDArray[np.int64]]:
    """One question for each depth, and the leaf of each row."""
    leaf, tree = np.zeros(len(grid.bins), np.int64), []
    for depth in range(terms.depth):
        column, cut = _question(grid, slope, asked, leaf, 1 << depth, terms.ridge)
        leaf = leaf * 2 + (grid.bins[:, column] > cut)
        tree.append((column, cut))
    return tree, leaf


def _question(
    grid: Grid, slope: Slope, asked: NDArray[np.int64], leaf: NDArray[np.int64], leaves: int, ridge: float
) -> tuple[int, int]:
    """The feature and the bin that gain most over all leaves at once."""
    best, found = -1.0, (0, 0)
    for column in asked:
        cuts = len(grid.cuts[column])
        sums = slope.summed(leaf * BINS + grid.bins[:, column], leaves * BINS)
        first, second = (each.reshape(leaves, BINS).cumsum(1) for each in sums)
        above, curve = first[:, -1:] - first, second[:, -1:] - second
        gain = (first**2 / (second + ridge) + above**2 / (curve + ridge)).sum(0)[:cuts]
        if cuts and gain.max() > best:
            best, found = float(gain.max()), (int(column), int(gain.argmax()))
    return found


def together(several: Sequence[Trees]) -> Trees:
    """The mean of several classifiers, as one."""
    return Trees(
        float(np.mean([trees.start for trees in several])),
        np.concatenate([trees.columns for trees in several]),
        np.concatenate([trees.cuts for trees in several]),
        (np.concatenate([trees.leaves for trees in several]) / len(several)).astype(np.float32),
    )

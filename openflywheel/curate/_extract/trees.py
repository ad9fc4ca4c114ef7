"""The classifier of blocks: boosted oblivious decision trees (Kohavi and Li, 1995; as in CatBoost, 2018).

All nodes of one depth of such a tree ask the same question, so the answers are the bits of the leaf's number
and numpy reads all trees for all blocks at once. benchmarks/curate/teach_extractor.py teaches them.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from safetensors import safe_open

FILE = Path(__file__).with_name("trees.safetensors")


class Trees(Struct, frozen=True):
    """Trees that ask whether feature `columns` is above `cuts`, both [trees, depth], and add up `leaves`."""

    start: float
    columns: NDArray[np.uint8]
    cuts: NDArray[np.float32]
    leaves: NDArray[np.float32]  # [trees, 2 ** depth]

    def chances(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """The chance of each block, shape (blocks, features), to be main text."""
        leaf = np.zeros((len(features), len(self.columns)), np.uint8)
        for columns, cuts in zip(self.columns.T, self.cuts.T, strict=True):
            leaf = leaf * 2 + (features[:, columns] > cuts)
        said = self.leaves[np.arange(len(self.leaves)), leaf].astype(np.float64).sum(axis=1)
        chances: NDArray[np.float64] = 1 / (1 + np.exp(-(self.start + said)))
        return chances


@cache
def load(path: Path = FILE) -> Mapping[str, Trees]:
    """The shipped trees: "fast" and "careful"."""
    with safe_open(path, framework="numpy") as file:
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    return {
        tier: Trees(
            float(kept[f"{tier}.start"][0]),
            *(kept[f"{tier}.{part}"] for part in ("columns", "cuts", "leaves")),
        )
        for tier in ("fast", "careful")
    }


def choose(chances: NDArray[np.float64], size: NDArray[np.int64]) -> tuple[NDArray[np.bool_], float]:
    """Which blocks to keep, and the F1 that is expected of them, by letters.

    Those with the highest chances, as many as make the expected F1 highest (Lewis, SIGIR 1995).
    """
    order = np.argsort(-chances, kind="stable")
    right, taken = np.cumsum((chances * size)[order]), np.cumsum(size[order])
    expected = 2 * right / (taken + right[-1])
    most = int(expected.argmax())
    kept = np.zeros(len(chances), np.bool_)
    kept[order[: most + 1]] = True
    return kept, float(expected[most])

"""How good an order of items is: nDCG, the discounted cumulative gain against the best that was possible."""

from collections.abc import Collection, Sequence

import numpy as np


def ndcg(said: Sequence[str], right: Collection[str], k: int = 10) -> float:
    """nDCG@k in [0, 1] of ids in order, best first, each either right (gain 1) or not (Järvelin & Kekäläinen
    2002, ACM TOIS 20:422). An id that is said twice counts once; without anything right it is 0.
    """
    rights, order = set(right), list(dict.fromkeys(said))[:k]
    hits = [place for place, item in enumerate(order) if item in rights]
    return float(_discounts(hits) / _discounts(range(min(k, len(rights))))) if rights else 0.0


def _discounts(places: Sequence[int]) -> float:
    return float(np.sum(1 / np.log2(np.array(places, float) + 2)))

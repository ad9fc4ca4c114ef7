"""How well rewards tell what people like from what they don't: a share with its interval of 95 %."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.instruments.intervals import wilson

Floats = NDArray[np.float64]


def judged(rewards: Floats) -> dict[str, float]:
    """Of rewards (n, 2), of a better and a worse answer; a single thumb has but one, the other is NaN.

    "reward_accuracy" with its "_low" and "_high", how many were "judged", and the "margin" of mean rewards.
    Nothing where there are only thumbs up, or only thumbs down.
    """
    paired = ~np.isnan(rewards).any(axis=1)
    if paired.all():
        right = float(np.mean(rewards[:, 0] > rewards[:, 1]))
        low, high = wilson(right * len(rewards), len(rewards))
    else:
        ups, downs = (column[~np.isnan(column)] for column in rewards.T)
        if not len(ups) or not len(downs):
            return {}
        right, low, high = area(ups, downs)
    better, worse = np.nanmean(rewards, axis=0)
    return {
        "reward_accuracy": right,
        "reward_accuracy_low": low,
        "reward_accuracy_high": high,
        "judged": float(len(rewards)),
        "margin": float(better - worse),
    }


def area(ups: Floats, downs: Floats) -> tuple[float, float, float]:
    """The chance that an answer with a thumb up has a higher reward than one with a thumb down; low and high.

    It is the area under the ROC curve, with the interval of DeLong et al. 1988 (Biometrics 44:837), which
    wants two of each kind.
    """
    wins = np.where(ups[:, None] == downs, 0.5, ups[:, None] > downs)
    right = float(wins.mean())
    if min(wins.shape) < 2:
        return right, 0.0, 1.0
    spread = wins.mean(axis=1).var(ddof=1) / len(ups) + wins.mean(axis=0).var(ddof=1) / len(downs)
    half = NormalDist().inv_cdf(0.975) * float(np.sqrt(spread))
    return right, max(0.0, right - half), min(1.0, right + half)

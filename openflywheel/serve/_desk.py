"""Who answers: the champion when it is sure enough, else a person."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

CHOICES = 3  # "did you mean A, B or C?"


class Reply(Struct, frozen=True):
    """An answer: `output` is empty when a person should answer; `choices` are the likeliest, best first.

    `propensity` is the chance with which this answer was drawn.
    """

    output: str = ""
    confidence: float = 0.0
    choices: tuple[str, ...] = ()
    propensity: float = 1.0


def replies(labels: Sequence[str], probabilities: NDArray[np.float32], least: float) -> list[Reply]:
    """One reply a row of `probabilities`, shape (n, len(labels)); below `least` a person should answer."""
    best = np.argsort(-probabilities, axis=1)[:, :CHOICES]
    return [_reply(labels, row, order, least) for row, order in zip(probabilities, best, strict=True)]


def _reply(labels: Sequence[str], row: NDArray[np.float32], best: NDArray[Any], least: float) -> Reply:
    sure = float(row[best[0]])
    choices = tuple(labels[i] for i in best)
    return Reply(choices[0] if sure >= least else "", sure, choices)

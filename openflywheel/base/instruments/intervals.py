"""How sure a figure is: intervals."""

from math import sqrt
from statistics import NormalDist


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share, `successes` of `n` (Wilson 1927); without data everything is possible: (0, 1).

    It holds every share p that a z-test would not reject: |seen - p| <= z sqrt(p (1 - p) / n). Unlike
    seen +- z sqrt(seen (1 - seen) / n) it stays honest for few data and for shares near 0 or 1.
    """
    if not n:
        return 0.0, 1.0
    z, seen = NormalDist().inv_cdf((1 + level) / 2), successes / n
    shrink = 1 + z**2 / n
    centre = (seen + z**2 / (2 * n)) / shrink
    half = z / shrink * sqrt(seen * (1 - seen) / n + z**2 / (4 * n**2))
    # min and max with what was seen: rounding must not push it out of its own interval
    return max(0.0, min(seen, centre - half)), min(1.0, max(seen, centre + half))


def paired_difference(wins: float, losses: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of the difference of two shares measured on the same n questions, in [-1, 1].

    `wins` were right for the first alone, `losses` for the second alone. Wald with half a question added to
    each cell (Agresti & Min 2005, Statistics in Medicine 24:729), which holds its level for small n.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    more, fewer, total = wins + 0.5, losses + 0.5, n + 2
    centre = (more - fewer) / total
    half = z * sqrt(more + fewer - (more - fewer) ** 2 / total) / total
    return max(-1.0, centre - half), min(1.0, centre + half)

"""By how much a candidate's answers are better than the champion's, question by question, and the test of it.

A person's questions are alike, so they count as one cluster.
"""

from collections.abc import Sequence
from math import ceil
from typing import ClassVar, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import stats

from openflywheel.base.nouns import Passed, Verdict
from openflywheel.evaluate import Contest

LEAST_PEOPLE = 5  # fewer show no spread to speak of
MOST_TIMES = 50  # as many questions again as there are: more are never asked, and their number says nothing


class Gained(Protocol):
    """A mean gain over `n` questions, of which nothing is known from fewer than `least` people."""

    @property
    def mean(self) -> float: ...

    @property
    def n(self) -> int: ...

    @property
    def least(self) -> int: ...

    def interval(self, level: float) -> tuple[float, float] | None:
        """Two-sided interval of the mean gain; None for too few people."""
        ...


class Gains(Struct, frozen=True):
    """By how much the candidate is better, question by question, and who asked; of `n` questions the two
    answer `differing` differently, and `each` has those of them that have a right answer.
    """

    least: ClassVar[int] = LEAST_PEOPLE

    each: NDArray[np.float64]
    people: Sequence[str]
    n: int
    differing: int

    @property
    def scale(self) -> float:
        """Questions that both answer alike gain nothing."""
        return self.differing / self.n if self.n else 0.0

    @property
    def groups(self) -> int:
        """How many people asked."""
        return len(set(self.people))

    @property
    def mean(self) -> float:
        """Mean gain over all questions; 0 where there is none."""
        return float(self.each.mean()) * self.scale if len(self.each) else 0.0

    @property
    def error(self) -> float:
        """Standard error of the mean, the questions of one person being alike (Liang & Zeger 1986)."""
        _, who = np.unique(np.asarray(self.people, dtype=object), return_inverse=True)
        sums = np.bincount(who, self.each - self.each.mean())
        share = self.groups / (self.groups - 1)
        return float((share * (sums**2).sum()) ** 0.5) / len(self.each) * self.scale

    def interval(self, level: float) -> tuple[float, float] | None:
        """Two-sided interval of the mean gain, by t with one degree of freedom fewer than people; None for
        fewer than `least` people.
        """
        if self.groups < self.least:
            return None
        half = float(stats.t.ppf((1 + level) / 2, self.groups - 1)) * self.error
        return self.mean - half, self.mean + half


def tested(gains: Gained, margin: float, level: float) -> tuple[Passed, str]:
    """yes, no or inconclusive, and why where it needs a word; see `absolute_error` for margin and level."""
    within = gains.interval(2 * level - 1)
    if within is None:
        return "inconclusive", f"questions of {gains.least} people are needed"
    low, high = within
    if low > 0 or high < 0:
        return "yes" if low > 0 else "no", ""
    if gains.mean > 0 and low > -margin:
        return "yes", f"not worse by more than {margin:g}"
    return "inconclusive", _wanted(gains, gains.mean - low)


def _wanted(gains: Gained, half: float) -> str:
    """How many more questions of the same kind would decide it: an interval shrinks with the root of them."""
    if gains.mean <= 0:
        return "more questions will not show it to be better"
    more = ((half / gains.mean) ** 2 - 1) * gains.n
    if more > MOST_TIMES * gains.n:
        return f"more than {MOST_TIMES * gains.n} sealed questions would be needed to decide it"
    return f"about {ceil(more)} more sealed questions would decide it"


def verdict(
    contest: Contest, gains: Gained, check: str, decided: tuple[Passed, str], level: float
) -> Verdict:
    """The opinion, with the mean gain as its score and the two-sided interval."""
    low, high = gains.interval(level) or (None, None)
    return Verdict(
        check=check,
        about=contest.candidate.id,
        against=contest.champion.id if contest.champion else "",
        task=contest.candidate.task,
        passed=decided[0],
        score=gains.mean,
        low=low,
        high=high,
        n=gains.n,
        reason=decided[1],
    )

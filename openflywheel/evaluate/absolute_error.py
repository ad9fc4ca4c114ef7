"""Is the candidate's number nearer to the right one than the champion's, before the same sealed questions?"""

from collections.abc import Sequence
from math import ceil, isnan

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import stats

from openflywheel.base.instruments.regression import number
from openflywheel.base.nouns import Passed, Verdict
from openflywheel.evaluate import Contest

KINDS = ("number",)
LEAST_PEOPLE = 5  # fewer show no spread to speak of


class Gains(Struct, frozen=True):
    """By how much the candidate is nearer, question by question, and who asked; of `n` questions the two
    answer `differing` differently, and `each` has those of them that have a right answer.
    """

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
        fewer than five people.
        """
        if self.groups < LEAST_PEOPLE:
            return None
        half = float(stats.t.ppf((1 + level) / 2, self.groups - 1)) * self.error
        return self.mean - half, self.mean + half


def absolute_error(contest: Contest, *, margin: float = 0.0, level: float = 0.95) -> Verdict:
    """yes when it is significantly nearer to the right numbers, no when it is significantly farther, else
    inconclusive.

    With a `margin` above 0, in the unit of the task, it is enough to look nearer and to be, with confidence
    `level`, not farther by more than the margin. The score is the mean fall of the absolute error over all
    questions, with a two-sided interval for the same `level`; each test is one-sided. A person's questions
    count as one cluster. An answer that is no number is refused: "no" for a candidate that gives one; the
    questions on which the champion gave one are left out. The first model of a task passes.
    """
    silent = sum(isnan(number(said)) for said in contest.candidate_says)
    gains = _gains(contest)
    passed, reason = _judge(contest, gains, silent, margin, level)
    low, high = gains.interval(level) or (None, None)
    return Verdict(
        check="absolute_error",
        about=contest.candidate.id,
        against=contest.champion.id if contest.champion else "",
        task=contest.candidate.task,
        passed=passed,
        score=gains.mean,
        low=low,
        high=high,
        n=gains.n,
        reason=reason,
    )


def _gains(contest: Contest) -> Gains:
    columns = (contest.right, contest.candidate_says, contest.champion_says)
    right, new, old = (np.array([number(said) for said in column], np.float64) for column in columns)
    answered = ~np.isnan(new) & ~np.isnan(old)
    differing = answered & (new != old)
    judged = differing & ~np.isnan(right)
    each = np.abs(old - right)[judged] - np.abs(new - right)[judged]
    people = [person for person, counts in zip(contest.people, judged, strict=True) if counts]
    return Gains(each, people, int(answered.sum()), int(differing.sum()))


def _judge(contest: Contest, gains: Gains, silent: int, margin: float, level: float) -> tuple[Passed, str]:
    if silent:
        return "no", f"it says no number to {silent} of {len(contest.right)} sealed questions"
    if contest.champion is None:
        return "yes", "the first model: there is no champion to beat"
    if contest.right and not gains.n:
        return "yes", "the champion says no number to any sealed question"
    judged = f"{len(gains.each)} of {gains.differing} differing answers judged"
    said = (
        f"nearer by {gains.mean:.3g} on average ({judged}, {gains.groups} people, {gains.n} sealed questions)"
    )
    passed, why = _tested(gains, margin, level)
    return passed, f"{said}; {why}" if why else said


def _tested(gains: Gains, margin: float, level: float) -> tuple[Passed, str]:
    within = gains.interval(2 * level - 1)
    if within is None:
        return "inconclusive", f"questions of {LEAST_PEOPLE} people are needed"
    low, high = within
    if low > 0 or high < 0:
        return "yes" if low > 0 else "no", ""
    if gains.mean > 0 and low > -margin:
        return "yes", f"not farther by more than {margin:g}"
    return "inconclusive", _wanted(gains, gains.mean - low)


def _wanted(gains: Gains, half: float) -> str:
    """How many more questions of the same kind would decide it: an interval shrinks with the root of them."""
    if gains.mean <= 0:
        return "more questions will not show it to be nearer"
    more = ((half / gains.mean) ** 2 - 1) * gains.n
    return f"about {ceil(more)} more sealed questions would decide it"

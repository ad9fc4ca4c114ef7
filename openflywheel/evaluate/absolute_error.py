"""Is the candidate's number nearer to the right one than the champion's, before the same sealed questions?"""

from math import isnan

import numpy as np

from openflywheel.base.forms.number import number
from openflywheel.base.nouns import Passed, Verdict
from openflywheel.evaluate import Contest
from openflywheel.evaluate._gains import Gains, tested, verdict

KINDS = ("number",)


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
    decided = _judge(contest, gains, silent, margin, level)
    return verdict(contest, gains, "absolute_error", decided, level)


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
    passed, why = tested(gains, margin, level)
    return passed, f"{said}; {why}" if why else said

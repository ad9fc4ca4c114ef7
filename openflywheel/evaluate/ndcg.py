"""Does the candidate order items better than the champion, before the same sealed questions?"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import stats

from openflywheel.base.instruments import cumulative_gain
from openflywheel.base.nouns import Passed, Verdict
from openflywheel.evaluate import Contest
from openflywheel.evaluate._gains import tested, verdict

KINDS = ("rank",)

K = 10
FEWEST = 10  # people; a t-interval over fewer says little, and over two that agree by chance it is empty


class Paired(Struct, frozen=True):
    """The mean difference of nDCG@10, with its standard error over `people`; 0 under two of them.

    Of `n` questions the two order items differently in `differing`; experts have judged `labelled` of those.
    """

    least: ClassVar[int] = FEWEST

    mean: float
    error: float
    people: int
    n: int
    differing: int
    labelled: int

    def interval(self, level: float) -> tuple[float, float] | None:
        """Two-sided, within [-1, 1]; None for fewer than `least` people."""
        if self.people < self.least:
            return None
        half = float(stats.t.ppf((1 + level) / 2, self.people - 1)) * self.error
        return max(-1.0, self.mean - half), min(1.0, self.mean + half)


def ndcg(contest: Contest, *, margin: float = 0.0, level: float = 0.95) -> Verdict:
    """yes when it is significantly better by nDCG@10, no when significantly worse, else inconclusive.

    What is said are the items' ids in order, best first, with line breaks between them; what is right is an
    id, or several. With a `margin` above 0 it is enough to look better and to be, with confidence `level`,
    not worse by more than the margin. The score is the mean over people of each one's mean difference, so
    that nobody counts for more by asking more; questions that both order alike count 0 and need no label.
    The test is Student's over people; fewer than 10 of them decide nothing. Without a champion nothing has to
    be beaten: the first model passes.
    """
    found = _paired(contest)
    return verdict(contest, found, "ndcg", _judge(contest, found, margin, level), level)


def _paired(contest: Contest) -> Paired:
    each = list(zip(contest.right, contest.candidate_says, contest.champion_says, strict=True))
    differing = sum(new != old for _, new, old in each)
    labelled = sum(new != old and bool(right) for right, new, old in each)
    scale = differing / labelled if labelled else 0.0  # a judged question stands for those not drawn
    gained = np.array([scale * _difference(*one) for one in each])
    means = _means(gained, contest.people)
    error = float(means.std(ddof=1)) / len(means) ** 0.5 if len(means) > 1 else 0.0
    mean = float(means.mean()) if len(means) else 0.0
    return Paired(mean, error, len(means), len(each), differing, labelled)


def _means(values: NDArray[np.float64], people: Sequence[str]) -> NDArray[np.float64]:
    """Each person's mean."""
    names, places = np.unique(np.array(people, object), return_inverse=True)
    total, count = np.bincount(places, values, len(names)), np.bincount(places, minlength=len(names))
    means: NDArray[np.float64] = total / count
    return means


def _difference(right: str, new: str, old: str) -> float:
    if not right or new == old:
        return 0.0
    rights = right.splitlines()
    return cumulative_gain.ndcg(new.splitlines(), rights, K) - cumulative_gain.ndcg(
        old.splitlines(), rights, K
    )


def _judge(contest: Contest, found: Paired, margin: float, level: float) -> tuple[Passed, str]:
    if contest.champion is None:
        return "yes", "the first model: there is no champion to beat"
    said = (
        f"nDCG@{K} {found.mean:+.3f} over {found.people} people ({found.labelled} of {found.differing} "
        f"questions judged where the two differ, {found.n} sealed questions)"
    )
    passed, why = tested(found, margin, level)
    return passed, f"{said}; {why}" if why else said

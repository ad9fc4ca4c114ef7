"""Is the candidate right more often than the champion, before the same sealed questions?"""

from msgspec import Struct
from scipy import stats

from openflywheel.base.instruments.intervals import paired_difference
from openflywheel.base.nouns import Passed, Verdict
from openflywheel.evaluate import Contest


class Count(Struct, frozen=True):
    """n questions, of which the two answer `differing` differently; experts have judged `labelled` of those,
    drawn at random: `wins` for the candidate, `losses` for the champion, both wrong in the rest.
    """

    n: int
    differing: int
    labelled: int
    wins: int
    losses: int

    @property
    def scale(self) -> float:
        """What a judged question stands for: itself, and those that were not drawn for judging."""
        return self.differing / self.labelled if self.labelled else 0.0

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided interval of the difference of the shares of right answers."""
        return paired_difference(self.wins * self.scale, self.losses * self.scale, self.n, level)

    def lowest(self, level: float) -> float:
        """One-sided lower bound of the difference."""
        return self.interval(2 * level - 1)[0]


def accuracy(contest: Contest, *, margin: float = 0.0, level: float = 0.95) -> Verdict:
    """yes when it is significantly better, no when it is significantly worse, else inconclusive.

    With a `margin` above 0 it is enough to look better and to be, with confidence `level`, not worse by more
    than the margin (a non-inferiority test): a wheel that learns a little in every turn then moves on without
    waiting until each step is proven, at a risk of 1 - level of losing more than the margin in one.

    The score is the difference of the shares of right answers; questions that both answer alike add nothing
    to it, so they need no label. Test: McNemar, one-sided mid-p (Fagerland et al. 2013, BMC Med. Res.
    Methodol. 13:91). The interval is two-sided, for the same `level`. Without a champion nothing has to be
    beaten: the first model passes.
    """
    count = _count(contest)
    low, high = count.interval(level)
    passed, reason = _judge(contest, count, margin, level)
    return Verdict(
        check="accuracy",
        about=contest.candidate.id,
        against=contest.champion.id if contest.champion else "",
        task=contest.candidate.task,
        passed=passed,
        score=(count.wins - count.losses) * count.scale / count.n if count.n else 0.0,
        low=low,
        high=high,
        n=count.n,
        reason=reason,
    )


def _count(contest: Contest) -> Count:
    each = zip(contest.right, contest.candidate_says, contest.champion_says, strict=True)
    differing = [(right, new, old) for right, new, old in each if new != old]
    judged = [(new == right, old == right) for right, new, old in differing if right]
    wins, losses = judged.count((True, False)), judged.count((False, True))
    return Count(len(contest.right), len(differing), len(judged), wins, losses)


def _judge(contest: Contest, count: Count, margin: float, level: float) -> tuple[Passed, str]:
    if contest.champion is None:
        return "yes", "the first model: there is no champion to beat"
    said = (
        f"candidate {count.wins} : {count.losses} champion where they differ "
        f"({count.labelled} of {count.differing} judged, {count.n} sealed questions)"
    )
    if mid_p(count.wins, count.losses) <= 1 - level:
        return "yes", said
    if mid_p(count.losses, count.wins) <= 1 - level:
        return "no", said
    if count.wins > count.losses and count.lowest(level) > -margin:
        return "yes", f"{said}; not worse by more than {margin:g}"
    return "inconclusive", f"{said}; {_wanted(count, 1 - level)}"


def mid_p(wins: int, losses: int) -> float:
    """One-sided mid-p of McNemar's test that wins are not more likely than losses; 1 without any of them."""
    n = wins + losses
    return float(stats.binom.sf(wins, n, 0.5) + 0.5 * stats.binom.pmf(wins, n, 0.5)) if n else 1.0


def _wanted(count: Count, alpha: float) -> str:
    """How many more questions of the same kind would decide it."""
    if count.wins <= count.losses:
        return "more questions will not show it to be better"
    for factor in range(2, 51):
        if mid_p(factor * count.wins, factor * count.losses) <= alpha:
            return f"about {(factor - 1) * count.n} more sealed questions would decide it"
    return f"more than {50 * count.n} sealed questions would be needed to decide it"

"""Is the candidate right more often than the champion, before the same sealed questions?"""

from scipy import stats

from openflywheel.base.instruments.intervals import paired_difference
from openflywheel.base.nouns import Passed, Verdict
from openflywheel.evaluate import Contest


def accuracy(contest: Contest, *, level: float = 0.95) -> Verdict:
    """yes when it is significantly better, no when it is significantly worse, else inconclusive.

    The score is the difference of the shares of right answers. Test: McNemar, one-sided mid-p (Fagerland et
    al. 2013, BMC Med. Res. Methodol. 13:91); only questions on which exactly one of the two is right say
    anything. The interval is two-sided, for the same `level`. Without a champion nothing has to be beaten:
    the first model passes.
    """
    wins, losses = _discordant(contest)
    n = len(contest.right)
    low, high = paired_difference(wins, losses, n, level)
    passed, reason = _judge(contest, wins, losses, 1 - level)
    return Verdict(
        check="accuracy",
        about=contest.candidate.id,
        against=contest.champion.id if contest.champion else "",
        task=contest.candidate.task,
        passed=passed,
        score=(wins - losses) / n if n else 0.0,
        low=low,
        high=high,
        n=n,
        reason=reason,
    )


def _discordant(contest: Contest) -> tuple[int, int]:
    """How many questions only the candidate answers rightly, and how many only the champion does."""
    each = zip(contest.right, contest.candidate_says, contest.champion_says, strict=True)
    pairs = [(candidate == right, champion == right) for right, candidate, champion in each]
    return pairs.count((True, False)), pairs.count((False, True))


def _judge(contest: Contest, wins: int, losses: int, alpha: float) -> tuple[Passed, str]:
    if contest.champion is None:
        return "yes", "the first model: there is no champion to beat"
    n, counts = len(contest.right), f"right where the champion is wrong: {wins}, the reverse: {losses}"
    if mid_p(wins, losses) <= alpha:
        return "yes", f"{counts}, of {n}"
    if mid_p(losses, wins) <= alpha:
        return "no", f"{counts}, of {n}"
    return "inconclusive", f"{counts}, of {n}; {_wanted(wins, losses, n, alpha)}"


def mid_p(wins: int, losses: int) -> float:
    """One-sided mid-p of McNemar's test that wins are not more likely than losses; 1 without any of them."""
    n = wins + losses
    return float(stats.binom.sf(wins, n, 0.5) + 0.5 * stats.binom.pmf(wins, n, 0.5)) if n else 1.0


def _wanted(wins: int, losses: int, n: int, alpha: float) -> str:
    """How many more questions of the same kind would decide it."""
    if wins <= losses:
        return "more questions will not show it to be better"
    for factor in range(2, 51):
        if mid_p(factor * wins, factor * losses) <= alpha:
            return f"about {(factor - 1) * n} more questions would decide it"
    return f"more than {50 * n} questions would be needed to decide it"

"""Is the candidate's text nearer to the one that people gave than the champion's, before sealed questions?"""

import re
from collections.abc import Sequence

import numpy as np

from openflywheel.base.nouns import Passed, Verdict
from openflywheel.evaluate import Contest
from openflywheel.evaluate._gains import Gains, tested, verdict

KINDS = ("text",)
MOST_WORDS = 1_000  # of a text: the common subsequence takes the product of two texts' words
_WORDS = re.compile(r"\w+")


def rouge(contest: Contest, *, margin: float = 0.0, level: float = 0.95) -> Verdict:
    """yes when it is significantly nearer to people's texts, no when farther, else inconclusive.

    Nearness is ROUGE-L, the F1 of the longest common subsequence of words (Lin 2004): it sees words and their
    order and no meaning, so it tells which of two writers is nearer and is no measure of truth. With a
    `margin` above 0, in the same unit of 0 to 1, it is enough to look nearer and to be, with confidence
    `level`, not farther by more than the margin. A person's questions count as one cluster. The first model
    of a task passes.
    """
    gains = _gains(contest)
    return verdict(contest, gains, "rouge", _judge(contest, gains, margin, level), level)


def _gains(contest: Contest) -> Gains:
    each = zip(contest.right, contest.candidate_says, contest.champion_says, contest.people, strict=True)
    differing = [(right, new, old, person) for right, new, old, person in each if new != old]
    judged = [asked for asked in differing if asked[0]]
    gained = np.array([nearness(right, new) - nearness(right, old) for right, new, old, _ in judged])
    return Gains(gained, [person for *_, person in judged], len(contest.right), len(differing))


def _judge(contest: Contest, gains: Gains, margin: float, level: float) -> tuple[Passed, str]:
    if contest.champion is None:
        return "yes", "the first model: there is no champion to beat"
    judged = f"{len(gains.each)} of {gains.differing} differing answers judged"
    said = f"ROUGE-L {gains.mean:+.3f} ({judged}, {gains.groups} people, {gains.n} sealed questions)"
    passed, why = tested(gains, margin, level)
    return passed, f"{said}; {why}" if why else said


def nearness(right: str, said: str) -> float:
    """ROUGE-L F1 of two texts, from 0 to 1; 1 for two without a word."""
    a, b = _words(right), _words(said)
    if not a or not b:
        return float(a == b)
    return 2 * longest_common(a, b) / (len(a) + len(b))


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())[:MOST_WORDS]


def longest_common(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence (Hirschberg 1975: a row at a time)."""
    row = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for at, other in enumerate(b, 1):
            longest = diagonal + 1 if word == other else max(row[at], row[at - 1])
            diagonal, row[at] = row[at], longest
    return row[-1]

"""Ratings that look like a campaign: newcomers judge an answer otherwise than people who proved their word.

Proved: a correction of theirs counted, so it fitted known examples (see _blind.py). An outage makes both
rate an answer down; a campaign of fresh accounts does not. For each answer and direction both kinds of people
make a 2 x 2 table, and Fisher's exact test asks for odds more than `ODDS` times as high, because newcomers
differ honestly as well (noncentral hypergeometric tail: Fisher 1935, J. R. Stat. Soc. 98:39). Bonferroni over
all answers and both directions. A person who rates often is one person.
"""

from collections import Counter
from collections.abc import Collection
from math import comb

from msgspec import Struct

ODDS = 2  # newcomers may be so much more (or less) content than the others
LEVEL = 0.01  # of a false alarm in a passage, over all answers


class Voice(Struct, frozen=True):
    """One person's rating of a task's answer, up or down."""

    task: str
    answer: str
    up: bool
    who: str
    proved: bool


def campaigns(voices: Collection[Voice]) -> dict[tuple[str, str, bool], str]:
    """(task, answer, up) -> why ratings of newcomers in that direction look coordinated."""
    people = Counter((v.task, v.answer, v.up, v.proved) for v in set(voices))
    found = {}
    cells = {(v.task, v.answer, up) for v in voices for up in (True, False)}
    for task, answer, up in cells:
        new, old = [(people[task, answer, up, p], people[task, answer, not up, p]) for p in (False, True)]
        if chance(*new, *old) * len(cells) <= LEVEL:
            found[task, answer, up] = _reason(answer, "up" if up else "down", new, old)
    return found


def chance(a: int, b: int, c: int, d: int) -> float:
    """Chance of `a` or more, when the odds a : b are at most `ODDS` times the odds c : d.

    Whole numbers of any size, so the sum is exact.
    """
    span = range(max(0, a - d), min(a + b, a + c) + 1)
    ways = {k: comb(a + b, k) * comb(c + d, a + c - k) * ODDS**k for k in span}
    return float(sum(n for k, n in ways.items() if k >= a) / sum(ways.values()))


def _reason(answer: str, way: str, new: tuple[int, int], old: tuple[int, int]) -> str:
    groups = [f"{said} of {said + not_said}" for said, not_said in (new, old)]
    return f"campaign: {groups[0]} newcomers rate {answer!r} {way}, {groups[1]} others do"

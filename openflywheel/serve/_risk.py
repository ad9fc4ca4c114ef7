"""From which confidence on may the model answer? Risk control by fixed-sequence testing.

Learn then Test (Angelopoulos, Bates, Candes, Jordan & Lei 2021, arXiv 2110.01052): each threshold is a
hypothesis, "of what is answered from here on more than the target is wrong", with an exact binomial p-value.
They are tested from the surest answers down, each at the full 5 %, and the walk ends at the first that is not
rejected. It errs only if it rejects the first true one: so the chance is 5 % however many were tested.

Where it stops to test decides its power. It stops where one more mistake becomes allowed, since there each
allowance is won most easily, and not before a fifth of the sample, since one mistake among the few surest
answers would end it. See docs/decisions/0005-cascade.md, and python -m benchmarks.cascade.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from math import exp, inf, lgamma, log, log1p, nextafter

from msgspec import Struct

LEVEL = 0.95
FIRST = 0.2  # share of the sample at which the walk begins


class Control(Struct, frozen=True):
    """What the walk found in a sample of n: from `threshold` on `answered` of them, `wrong` of these wrongly.

    When nothing is certified `threshold` is None, and the figures are those of the first test, which failed;
    `answered` is 0 when the sample is too small for any.
    """

    n: int
    threshold: float | None = None
    answered: int = 0
    wrong: int = 0


def control(confidences: Sequence[float], wrong: Sequence[bool], error: float) -> Control:
    """The lowest threshold at which at most `error` of the answers are wrong, with 95 % confidence.

    `wrong[i]` says whether the answer given with `confidences[i]` is wrong. The pairs are independent draws
    of the questions to come. Exact if the error of the answered part passes the target once as the threshold
    falls: given how many stand above that point, the sample on both of its sides is then at least as wrong
    as the hypothesis says. The confidences need not be calibrated. `error` lies between 0 and 1, both
    excluded.
    """
    ranked = sorted(zip(confidences, wrong, strict=True), key=lambda pair: -pair[0])
    sure, mistakes = [c for c, _ in ranked], [0, *accumulate(int(w) for _, w in ranked)]
    found = Control(len(ranked))
    for answered in _cuts(sure, error):
        seen = Control(len(ranked), _below(sure, answered), answered, mistakes[answered])
        if at_most(seen.wrong, answered, error) > 1 - LEVEL:
            return found if found.answered else Control(seen.n, None, answered, seen.wrong)
        found = seen
    return found


def _cuts(sure: Sequence[float], error: float) -> Iterator[int]:
    """Sizes of the answered part to be tested, rising; answers of equal confidence are never parted."""
    answered = 0
    for size in sizes(len(sure), error):
        if size > answered:
            answered = size
            while answered < len(sure) and sure[answered] == sure[answered - 1]:
                answered += 1
            yield answered


def _below(sure: Sequence[float], answered: int) -> float:
    """The threshold that just keeps the next answer out: that one belongs to no test (see `control`)."""
    return nextafter(sure[answered], inf) if answered < len(sure) else 0.0


@cache
def sizes(n: int, error: float) -> tuple[int, ...]:
    """Where n labels are tested: where one more mistake becomes allowed, from n / 5 on, and all of them.

    Empty when n is too small to certify anything.
    """
    found, mistakes = [fewest(0, error)], 0
    while found[-1] < n:
        mistakes += 1
        found.append(fewest(mistakes, error, found[-1]))
    within = [size for size in found if FIRST * n <= size < n]
    return (*within, n) if found[0] <= n else ()


@cache
def fewest(mistakes: int, error: float, after: int = 0) -> int:
    """The fewest answers, more than `after`, of which so many may be wrong.

    For none it is log(.05) / log(1 - error), rounded up.
    """
    start, more = max(after, mistakes) + 1, 64
    while at_most(mistakes, start + more, error) > 1 - LEVEL:
        more *= 2
    return start + bisect_left(
        range(more + 1), True, key=lambda i: at_most(mistakes, start + i, error) <= 1 - LEVEL
    )


def at_most(mistakes: int, n: int, error: float) -> float:
    """Chance of so many mistakes or fewer in n answers: the binomial tail, the p-value of one test."""
    return sum(exp(_log_chance(i, n, error)) for i in range(min(mistakes, n) + 1))


def _log_chance(i: int, n: int, p: float) -> float:
    choices = lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1)
    return choices + i * log(p) + (n - i) * log1p(-p)


def reason(found: Control, error: float) -> str:
    """What was found, in words; when nothing is certified, how many more labels it would take."""
    target = f"an error of at most {100 * error:g} % (95 %)"
    mistakes = f"{found.wrong} of {found.answered} wrong"
    if found.threshold is not None:
        share = f"answers {100 * found.answered / found.n:.0f} %"
        return f"{share} from a confidence of {found.threshold:.3g} on, at {target}: {mistakes}"
    if not found.answered:
        needed = fewest(0, error)
        return f"{target} needs {needed} labels even without a mistake: {needed - found.n} more"
    return f"{target} is not certain of even the surest answers: {mistakes}; {_wanted(found, error)}"


def _wanted(found: Control, error: float) -> str:
    """How many more labels would certify the first test at the rate of mistakes seen in it."""
    rate = found.wrong / found.answered
    for factor in (1.25, 1.5, 2, 3, 4, 6, 8, 12, 16):
        size = round(factor * found.answered)
        if rate < error and at_most(round(rate * size), size, error) <= 1 - LEVEL:
            return f"about {round((factor - 1) * found.n)} more labels would decide it"
    return "more labels will not help before the model is better"

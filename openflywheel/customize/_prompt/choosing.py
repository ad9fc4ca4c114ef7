"""Which candidate wins: the cheapest one that is no worse than the best, beyond noise."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from openflywheel.base.forms.prompt import Answered, answered
from openflywheel.base.instruments.intervals import wilson
from openflywheel.base.instruments.prompting import Template, asked, tokens
from openflywheel.customize._prompt.questions import Question, score

Numbers = NDArray[np.float64]


class Way(Struct, frozen=True):
    """A candidate: its instructions, and how many demonstrations in which order."""

    instructions: str
    k: int
    nearest_last: bool = True


class Tried(Struct, frozen=True):
    """How a candidate did on some questions; `cost` is the mean size of a prompt in tokens."""

    way: Way
    answers: list[Answered]
    scores: Numbers
    cost: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of its mean score; wider than need be where scores lie between 0 and 1."""
        return wilson(float(self.scores.sum()), len(self.scores))


class Trying(Struct, frozen=True):
    """Tries candidates of a task, the same questions for each."""

    kind: str
    labels: tuple[str, ...]
    ask: Callable[[str], str]

    def template(self, way: Way) -> Template:
        """A candidate as a prompt."""
        return Template(self.kind, way.instructions, self.labels, way.nearest_last)

    def tried(self, way: Way, questions: Sequence[Question]) -> Tried:
        """Ask all questions. Raises what `ask` raises."""
        template, shown = self.template(way), [q.nearest[: way.k] for q in questions]
        said = answered(template, [q.chat for q in questions], shown, self.ask)
        scores = [score(self.kind, a, q.right) for (a, _), q in zip(said, questions, strict=True)]
        sizes = [tokens(template.prompt(asked(q.chat), e)) for q, e in zip(questions, shown, strict=True)]
        return Tried(way, said, np.array(scores), float(np.mean(sizes)))


def choose(trying: Trying, instructions: Sequence[str], k: int, questions: Sequence[Question]) -> list[Tried]:
    """All candidates as they were tried, the chosen one last.

    Instructions are compared with all k demonstrations, then fewer of these, then their order.
    """
    tried, best = list[Tried](), Way(instructions[0], k)
    for stage in (
        lambda _: (Way(text, k) for text in instructions),
        lambda way: (Way(way.instructions, fewer) for fewer in {0, k // 2} - {k}),
        lambda way: [Way(way.instructions, way.k, nearest_last=False)] if way.k > 1 else [],
    ):
        new: Iterator[Way] = iter(stage(best))
        ways = [trying.tried(way, questions) for way in new]
        rivals = [*(t for t in tried if t.way == best), *ways]  # of equals the earlier stays
        tried += ways
        best = winner(rivals).way
    return sorted(tried, key=lambda t: t.way == best)


def number(instructions: int, k: int) -> int:
    """The most candidates that `choose` tries."""
    return instructions + len({0, k // 2} - {k}) + (k > 1)


def winner(tried: Sequence[Tried]) -> Tried:
    """The cheapest whose lag behind the best is within one standard error (Breiman et al. 1984, 3.4.3)."""
    best = max(tried, key=lambda t: t.scores.mean())
    return next(t for t in sorted(tried, key=lambda t: t.cost) if not leads(best.scores, t.scores))


def leads(first: Numbers, second: Numbers) -> bool:
    """Whether the first is better on the same questions by more than one standard error.

    Of the mean difference, with half a question added to each side (Agresti & Min 2005): one question more
    of ten is noise, two are not.
    """
    difference = first - second
    spread = (difference**2).sum() + 1 - difference.sum() ** 2 / (len(difference) + 2)
    return bool(difference.sum() > np.sqrt(spread))

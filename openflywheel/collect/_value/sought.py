"""What a gap is after: the examples that failed, and the aim that they make."""

from collections.abc import Callable, Mapping, Sequence

from openflywheel.base.ids import content_id
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.base.settings import Budget, Task
from openflywheel.collect._value.aim import Aim, breadth_first, toward
from openflywheel.collect._value.scale import Encoder

EXAMPLES = 50  # failing exchanges that are looked at

Exchanges = Callable[[Sequence[str]], Mapping[str, Exchange]]


def failing(gap: Gap, exchanges: Exchanges) -> list[str]:
    """What was asked where we failed."""
    return [e.input for e in exchanges(gap.evidence[:EXAMPLES]).values() if e.input]


def aim_of(
    gap: Gap,
    *,
    exchanges: Exchanges,
    encoder: Encoder,
    known: Callable[[], Sequence[str]],
    tasks: Mapping[str, Task],
    budget: Budget,
) -> Aim:
    """The aim for a gap: worth its weight in errors of its task, at the budget's price of a document."""
    error = tasks[gap.task].costs.error if gap.task in tasks else 1.0
    return toward(
        gap, encoder=encoder, known=known, worth=gap.weight * error, price=budget.document,
        failing=failing(gap, exchanges),
    )  # fmt: skip


def aim_of_a_crawl(
    gap: Gap,
    *,
    exchanges: Exchanges,
    encoder: Encoder,
    known: Callable[[], Sequence[str]],
    tasks: Mapping[str, Task],
    budget: Budget,
) -> tuple[Aim, str]:
    """The same with its name, which the same words have in the next turn; without words breadth first."""
    if not gap.queries:
        return breadth_first, ""
    aim = aim_of(gap, exchanges=exchanges, encoder=encoder, known=known, tasks=tasks, budget=budget)
    return aim, content_id(gap.topic, *gap.queries)

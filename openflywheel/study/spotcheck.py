"""The sample that the cascade's threshold is set by: exchanges of held-out people, drawn uniformly at random.

`audit` asks where two models differ, so its answers say nothing about how often one of them is wrong. Here
every exchange has the same chance, whoever answered it and however surely; and what is asked here judges
thresholds alone, never a candidate, so that no model serves because it was lucky on these.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from openflywheel.base.holdout import SPOT, held_out, person_of
from openflywheel.base.ids import share_of
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.study import Evidence


class Budget(Protocol):
    """How many labels a turn may ask for (base/settings.py)."""

    @property
    def holdout(self) -> int: ...


def spotcheck(
    evidence: Evidence, *, budget: Budget, holdout: float, errors: Mapping[str, float], per_turn: int = 10
) -> Iterator[Gap]:
    """Ask about `per_turn` new exchanges of each task whose cascade has an `error`.

    A person is asked about once for a task and never again: questions of one person resemble each other, and
    would count as more evidence than they are. `wheel.budget.holdout` bounds these and those of `audit`
    together; whichever stands first in the settings takes its share first.
    """
    known = {(e.task, person_of(e)) for e in evidence.spotted.values()}
    for task in errors:
        new = [e for e in evidence.fresh if e.task == task and e.input and held_out(e, holdout)]
        left = max(budget.holdout - evidence.drawn.get(task, 0), 0)
        drawn = _one_each(e for e in new if (task, person_of(e)) not in known)[: min(per_turn, left)]
        if drawn:
            asked = tuple(e.id for e in drawn)
            yield Gap(topic=task, why=SPOT, task=task, evidence=asked, budget=len(asked))


def _one_each(exchanges: Iterator[Exchange]) -> list[Exchange]:
    """In random order, the first of each person; the order comes from the ids, so it can be repeated."""
    first: dict[str, Exchange] = {}
    for exchange in sorted(exchanges, key=lambda e: share_of(e.id, SPOT)):
        first.setdefault(person_of(exchange), exchange)
    return list(first.values())

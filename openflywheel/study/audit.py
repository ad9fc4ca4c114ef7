"""Draw the sealed holdout: a random slice of the traffic, labelled by experts, that never teaches."""

from collections.abc import Iterator
from typing import Protocol

from openflywheel.base.holdout import DRAWN, held_out
from openflywheel.base.ids import share_of
from openflywheel.base.nouns import Exchange, Gap
from openflywheel.study import Evidence


class Budget(Protocol):
    """How many labels a turn may ask for (base/settings.py)."""

    @property
    def holdout(self) -> int: ...


def audit(evidence: Evidence, *, budget: Budget, holdout: float) -> Iterator[Gap]:
    """One Gap a task: `budget.holdout` exchanges drawn evenly from those of held-out people."""
    slices: dict[str, list[Exchange]] = {}
    for exchange in evidence.fresh:
        if held_out(exchange, holdout) and exchange.input:
            slices.setdefault(exchange.task, []).append(exchange)
    for task, slice_ in slices.items():
        drawn = sorted(slice_, key=lambda e: share_of(e.id, "draw"))[: budget.holdout]
        yield Gap(topic=task, why=DRAWN, task=task, evidence=tuple(e.id for e in drawn), budget=len(drawn))

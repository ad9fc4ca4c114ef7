"""The sealed holdout: a random slice of the traffic that never teaches, labelled where labels decide.

All exchanges of held-out people are sealed. A candidate and the champion are compared on all of them, but an
expert is asked only about those that the two answer differently: elsewhere both are right or both are wrong,
and the difference between them is zero whatever the truth is. At a disagreement of 10 % this buys the
evidence of ten random labels with one.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

from openflywheel.base.errors import said
from openflywheel.base.holdout import DRAWN, SEALED, held_out
from openflywheel.base.ids import share_of
from openflywheel.base.nouns import EXCHANGE, Fault, Gap, Model, Row
from openflywheel.study import Evidence

Predict = Callable[[Model, Sequence[str]], Sequence[str]]

log = logging.getLogger("openflywheel")


class Budget(Protocol):
    """How many labels a turn may ask for (base/settings.py)."""

    @property
    def holdout(self) -> int: ...


def audit(
    evidence: Evidence, *, budget: Budget, holdout: float, predict: Predict, tasks: Collection[str]
) -> Iterator[Gap | Fault]:
    """Seal the new exchanges of held-out people; ask about those on which candidate and champion differ.

    Where one of the two can't answer, the other tasks go on. What is of no task of `tasks` is let be.
    """
    slices: dict[str, list[str]] = {}
    for exchange in evidence.fresh:
        if held_out(exchange, holdout) and exchange.input:
            slices.setdefault(exchange.task, []).append(exchange.id)
    for task, ids in slices.items():
        yield Gap(topic=task, why=SEALED, task=task, evidence=tuple(ids))
    for task in (task for task in evidence.contests if task in tasks):
        try:
            differing = _differing(evidence.unlabelled(task), *evidence.contests[task], predict)
        except Exception as error:  # whatever befalls a model must not stop the room, turn after turn
            log.warning("study: audit: %s", task, exc_info=error)
            yield Fault(f"audit, {task}: {said(error)}")
            continue
        # One random order for all times: what is judged stays a random part of what differs.
        left = max(budget.holdout - evidence.drawn.get(task, 0), 0)
        drawn = sorted(differing, key=lambda row: share_of(row.text, "draw"))[:left]
        if drawn:
            asked = tuple(row.uri.removeprefix(EXCHANGE) for row in drawn)
            yield Gap(topic=task, why=DRAWN, task=task, evidence=asked, budget=len(asked))


def _differing(rows: Sequence[Row], candidate: Model, champion: Model, predict: Predict) -> list[Row]:
    """The sealed rows that the two models answer differently."""
    texts = [row.text for row in rows]
    answers = zip(rows, predict(candidate, texts), predict(champion, texts), strict=True)
    return [row for row, new, old in answers if new != old]

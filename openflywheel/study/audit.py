"""The sealed holdout: a random slice of the traffic that never teaches, labelled where labels decide.

All exchanges of held-out people are sealed. A candidate and the champion are compared on all of them, but an
expert is asked only about those that the two answer differently: elsewhere both are right or both are wrong,
and the difference between them is zero whatever the truth is. At a disagreement of 10 % this buys the
evidence of ten random labels with one.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from openflywheel.base.holdout import DRAWN, SEALED, held_out
from openflywheel.base.ids import share_of
from openflywheel.base.nouns import Gap, Model, Row
from openflywheel.study import Evidence

Predict = Callable[[Model, Sequence[str]], Sequence[str]]


class Budget(Protocol):
    """How many labels a turn may ask for (base/settings.py)."""

    @property
    def holdout(self) -> int: ...


def audit(evidence: Evidence, *, budget: Budget, holdout: float, predict: Predict) -> Iterator[Gap]:
    """Seal the new exchanges of held-out people; ask about those on which candidate and champion differ."""
    slices: dict[str, list[str]] = {}
    for exchange in evidence.fresh:
        if held_out(exchange, holdout) and exchange.input:
            slices.setdefault(exchange.task, []).append(exchange.id)
    for task, ids in slices.items():
        yield Gap(topic=task, why=SEALED, task=task, evidence=tuple(ids))
    for task, (candidate, champion) in evidence.contests.items():
        differing = _differing(evidence.unlabelled(task), candidate, champion, predict)
        # One random order for all times: what is judged stays a random part of what differs.
        left = max(budget.holdout - evidence.drawn.get(task, 0), 0)
        drawn = sorted(differing, key=lambda row: share_of(row.text, "draw"))[:left]
        if drawn:
            asked = tuple(row.uri.removeprefix("exchange:") for row in drawn)
            yield Gap(topic=task, why=DRAWN, task=task, evidence=asked, budget=len(asked))


def _differing(rows: Sequence[Row], candidate: Model, champion: Model, predict: Predict) -> list[Row]:
    """The sealed rows that the two models answer differently."""
    texts = [row.text for row in rows]
    answers = zip(rows, predict(candidate, texts), predict(champion, texts), strict=True)
    return [row for row, new, old in answers if new != old]

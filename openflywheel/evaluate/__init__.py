"""Model -> Verdict: is it good enough?

A metric is one file here; it compares a candidate with the champion on the same sealed holdout:

    def accuracy(contest, *, level=0.95) -> Verdict

Its `KINDS` names the kinds of task that it judges; without, it judges label tasks.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from openflywheel.base.champion import crowned
from openflywheel.base.door import function_of, name_of
from openflywheel.base.nouns import Arrow, Dataset, Model, Row, Verdict, changed
from openflywheel.base.room import Given

ARROW = Arrow(takes=Model, gives=Verdict, given=(Dataset, Row))
Predict = Callable[[Model, Sequence[str]], Sequence[str]]


class Contest(Struct, frozen=True):
    """A candidate and the champion before the same n questions, all sequences in the same order.

    `right` is what people answered (empty where nobody was asked), `people` are the subjects who asked the
    questions. `champion` is None when nothing serves yet.
    """

    candidate: Model
    champion: Model | None
    right: Sequence[str]
    candidate_says: Sequence[str]
    champion_says: Sequence[str]
    people: Sequence[str]


Metric = Callable[[Contest], Verdict]


def run(
    took: Sequence[Model],
    given: Given,
    plugins: Sequence[Metric],
    *,
    predict: Predict,
    kinds: Mapping[str, str],
) -> Iterator[Verdict]:
    """Let every metric judge the candidates of the kinds that it judges.

    `predict` answers texts with a model. `kinds` maps a task to its kind.
    """
    verdicts, holdouts = given.all(Verdict), {d.task: d for d in given.all(Dataset) if d.role == "holdout"}
    for model in took:
        crown = crowned(verdicts).get(model.task)
        champion = given.get(Model, [crown.about])[crown.about] if crown else None
        rows = given.rows(holdouts[model.task]) if model.task in holdouts else []
        wanted = [metric for metric in plugins if kinds[model.task] in judges(metric)]
        if not wanted:
            continue
        contest = _contest(model, champion, _unspent(rows, model.task, crown), predict)
        for metric in wanted:
            yield changed(metric(contest), check=name_of(metric))


def judges(metric: Metric) -> tuple[str, ...]:
    """Kinds of task that a metric judges: the `KINDS` of its module."""
    return tuple(getattr(sys.modules[function_of(metric).__module__], "KINDS", ("label",)))


def _unspent(rows: Sequence[Row], task: str, crown: Verdict | None) -> list[Row]:
    """Questions that did not help to crown the champion.

    It won on those that were labelled by then, in part by luck: a candidate that is examined on them again
    would be held to that luck.
    """
    return [row for row in rows if not (crown and row.labels[task] and row.at <= crown.at)]


def _contest(model: Model, champion: Model | None, rows: Sequence[Row], predict: Predict) -> Contest:
    texts = [r.text for r in rows]
    return Contest(
        candidate=model,
        champion=champion,
        right=[r.labels[model.task] for r in rows],
        candidate_says=predict(model, texts),
        champion_says=predict(champion, texts) if champion else [""] * len(rows),
        people=[r.subject or r.id for r in rows],
    )

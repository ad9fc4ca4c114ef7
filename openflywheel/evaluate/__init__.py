"""Model -> Verdict: is it good enough?

A metric is one file here; it compares a candidate with the champion on the same sealed holdout:

    def accuracy(contest, *, level=0.95) -> Verdict

Its `KINDS` names the kinds of task that it judges; without, it judges label tasks.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from openflywheel.base.champion import crowned
from openflywheel.base.door import function_of, name_of
from openflywheel.base.errors import StoreError, said
from openflywheel.base.nouns import Arrow, Dataset, Fault, Model, Row, Verdict, changed
from openflywheel.base.room import Given

ARROW = Arrow(takes=Model, gives=Verdict, given=(Dataset, Row), stateful=True)
Predict = Callable[[Model, Sequence[str]], Sequence[str]]
# What is wrong with a model itself; other errors are of what surrounds it: a server, a library, the disk.
UNFIT = (StoreError, ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)

log = logging.getLogger("openflywheel")


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
    state: dict[str, Any],
) -> Iterator[Verdict | Fault]:
    """Let every metric judge the candidates of the kinds that it judges.

    `predict` answers texts with a model. `kinds` maps a task to its kind; what is of other tasks is let be. A
    model that can't be opened, or can't answer, has failed. Where anything else goes wrong the others go on,
    and the model is judged in the next turn: `state` names it.
    """
    crowns = crowned(given.all(Verdict))
    holdouts = {d.task: d for d in given.all(Dataset) if d.role == "holdout"}
    models, state["waiting"] = _to_judge(took, given, state), []
    for model in models:
        metrics = [metric for metric in plugins if kinds.get(model.task) in judges(metric)]
        if not metrics:
            continue
        try:
            rows = given.rows(holdouts[model.task]) if model.task in holdouts else []
            yield from _judged(model, metrics, crowns.get(model.task), rows, given, predict)
        except Exception as error:  # whatever befalls one model must not stop the others, turn after turn
            log.warning("evaluate: %s %s", model.name, model.id, exc_info=error)
            state["waiting"].append(model.id)
            yield Fault(f"{model.name} {model.id[:8]}: {said(error)}")


def _to_judge(took: Sequence[Model], given: Given, state: Mapping[str, Any]) -> list[Model]:
    """The models that wait, but those in whose place a newer one of their name has come, and the new ones."""
    newer = {(model.task, model.name) for model in took}
    waited = given.get(Model, state.get("waiting", [])).values()
    return [*(model for model in waited if (model.task, model.name) not in newer), *took]


def _judged(
    model: Model,
    metrics: Sequence[Metric],
    crown: Verdict | None,
    rows: Sequence[Row],
    given: Given,
    predict: Predict,
) -> list[Verdict | Fault]:
    """What all the metrics say of a model; of one that can't answer, that it has failed."""
    champion = given.get(Model, [crown.about])[crown.about] if crown else None
    questions = _unspent(rows, model.task, crown)
    try:
        says = predict(model, [row.text for row in questions])
    except UNFIT as error:
        log.warning("evaluate: %s %s", model.name, model.id, exc_info=error)
        return [
            Verdict(check=name_of(metric), about=model.id, task=model.task, passed="no", reason=said(error))
            for metric in metrics
        ]
    before, faults = _before(champion, questions, predict)
    contest = Contest(
        candidate=model,
        champion=champion,
        right=[row.labels[model.task] for row in questions],
        candidate_says=says,
        champion_says=before,
        people=[row.subject or row.id for row in questions],
    )
    return [*faults, *(changed(metric(contest), check=name_of(metric)) for metric in metrics)]


def _before(
    champion: Model | None, questions: Sequence[Row], predict: Predict
) -> tuple[Sequence[str], list[Fault]]:
    """What the champion says; one that was damaged says nothing, so that a candidate can take its place."""
    silence = [""] * len(questions)
    if champion is None:
        return silence, []
    try:
        return predict(champion, [row.text for row in questions]), []
    except StoreError as error:
        return silence, [Fault(f"the champion {champion.name} {champion.id[:8]}: {error}")]


def judges(metric: Metric) -> tuple[str, ...]:
    """Kinds of task that a metric judges: the `KINDS` of its module."""
    return tuple(getattr(sys.modules[function_of(metric).__module__], "KINDS", ("label",)))


def _unspent(rows: Sequence[Row], task: str, crown: Verdict | None) -> list[Row]:
    """Questions that did not help to crown the champion.

    It won on those that were labelled by then, in part by luck: a candidate that is examined on them again
    would be held to that luck.
    """
    return [row for row in rows if not (crown and row.labels[task] and row.at <= crown.at)]

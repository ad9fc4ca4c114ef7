"""Model -> Verdict: is it good enough?

A metric is one file here; it compares a candidate with the champion on the same sealed holdout:

    def accuracy(contest, *, margin=0.0) -> Verdict
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from openflywheel.base.champion import champions
from openflywheel.base.nouns import Arrow, Dataset, Model, Row, Verdict
from openflywheel.base.room import Given

ARROW = Arrow(takes=Model, gives=Verdict, given=(Dataset, Row))
Predict = Callable[[Model, Sequence[str]], Sequence[str]]


class Contest(Struct, frozen=True):
    """A candidate and the champion before the same n questions, all sequences in the same order.

    `right` is what people answered, `weights` are the inverse chances with which the questions were drawn,
    `people` the subjects who asked them. `champion` is None when nothing serves yet.
    """

    candidate: Model
    champion: Model | None
    right: Sequence[str]
    candidate_says: Sequence[str]
    champion_says: Sequence[str]
    weights: Sequence[float]
    people: Sequence[str]


Metric = Callable[[Contest], Verdict]


def run(
    took: Sequence[Model], given: Given, plugins: Sequence[Metric], *, predict: Predict
) -> Iterator[Verdict]:
    """Let every metric judge every candidate; `predict` answers texts with a model."""
    serving = champions(given.all(Verdict))
    holdouts = {d.task: d for d in given.all(Dataset) if d.role == "holdout"}
    for model in took:
        rows = given.rows(holdouts[model.task]) if model.task in holdouts else []
        champion = given.get(Model, [serving.get(model.task, "")]).get(serving.get(model.task, ""))
        contest = _contest(model, champion, rows, predict)
        for metric in plugins:
            yield metric(contest)


def _contest(model: Model, champion: Model | None, rows: Sequence[Row], predict: Predict) -> Contest:
    texts = [r.text for r in rows]
    return Contest(
        candidate=model,
        champion=champion,
        right=[r.labels[model.task] for r in rows],
        candidate_says=predict(model, texts),
        champion_says=predict(champion, texts) if champion else [""] * len(rows),
        weights=[r.weight for r in rows],
        people=[r.subject or r.id for r in rows],
    )

from functools import partial

from openflywheel import evaluate
from openflywheel.base.nouns import Dataset, Model, Row, Verdict
from openflywheel.evaluate.absolute_error import absolute_error
from openflywheel.evaluate.accuracy import accuracy


class Shelf:
    """What the room is given: everything it asks for, from memory."""

    def __init__(self, *nouns):
        self.nouns = nouns

    def all(self, kind):
        return [n for n in self.nouns if type(n) is kind]

    def get(self, kind, ids):
        return {n.id: n for n in self.all(kind) if n.id in ids}

    def rows(self, dataset):
        return list(self.get(Row, dataset.rows).values())


def seen(contest):
    return Verdict(
        check="", about=contest.candidate.id, passed="yes", n=len(contest.right), reason=repr(contest)
    )


def model(name):
    return Model(name=name, task="route", base="", method="", taught_by=(name,))


ROUTE = {"route": "label"}


def test_candidate_and_champion_answer_the_newest_holdout_of_their_task():
    row = Row(text="hi", source="t", labels={"route": "a"}, role="holdout", subject="p1")
    sealed = Dataset(name="h", task="route", role="holdout", rows=(row.id,), recipe="")
    old, new = model("old"), model("new")
    crown = Verdict(check="promotion", about=old.id, task="route", passed="yes", at=0.5)
    says = {old.id: "b", new.id: "a"}
    shelf = Shelf(row, sealed, old, new, crown)
    (verdict,) = evaluate.run(
        [new], shelf, [seen], predict=lambda m, texts: [says[m.id]] * len(texts), kinds=ROUTE
    )
    assert verdict.n == 1
    assert "right=['a'], candidate_says=['a'], champion_says=['b']" in verdict.reason
    assert "people=['p1']" in verdict.reason


def test_questions_that_crowned_the_champion_are_spent():
    old, new = model("old"), model("new")
    before = Row(text="a", source="t", labels={"route": "a"}, role="holdout", at=1.0)
    after = Row(text="b", source="t", labels={"route": "a"}, role="holdout", at=3.0)
    open_ = Row(text="c", source="t", labels={"route": ""}, role="holdout", at=1.0)
    sealed = Dataset(name="h", task="route", role="holdout", rows=(before.id, after.id, open_.id), recipe="")
    crown = Verdict(check="promotion", about=old.id, task="route", passed="yes", at=2.0)
    shelf = Shelf(before, after, open_, sealed, old, new, crown)
    (verdict,) = evaluate.run([new], shelf, [seen], predict=lambda m, texts: list(texts), kinds=ROUTE)
    assert verdict.n == 2
    assert "candidate_says=['b', 'c']" in verdict.reason


def test_without_a_holdout_there_are_no_questions():
    new = model("new")
    (verdict,) = evaluate.run(
        [new], Shelf(new), [seen], predict=lambda m, texts: ["a"] * len(texts), kinds=ROUTE
    )
    assert verdict.n == 0


def test_a_metric_judges_the_kinds_of_task_that_it_names():
    assert evaluate.judges(accuracy) == ("label",)
    assert evaluate.judges(partial(absolute_error, margin=1.0)) == ("number",)
    new, both = model("new"), [accuracy, absolute_error]

    def checks(kind):
        found = evaluate.run([new], Shelf(new), both, predict=lambda m, texts: [], kinds={"route": kind})
        return [verdict.check for verdict in found]

    assert checks("label") == ["accuracy"]
    assert checks("number") == ["absolute_error"]


def test_a_model_that_no_metric_judges_is_not_even_asked():
    def predict(model, texts):
        raise AssertionError("nobody wants its answers")

    row = Row(text="hi", source="t", labels={"route": "a"}, role="holdout")
    sealed = Dataset(name="h", task="route", role="holdout", rows=(row.id,), recipe="")
    new = model("new")
    shelf = Shelf(row, sealed, new)
    assert list(evaluate.run([new], shelf, [accuracy], predict=predict, kinds={"route": "text"})) == []

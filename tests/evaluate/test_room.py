from openflywheel import evaluate
from openflywheel.base.nouns import Dataset, Model, Row, Verdict


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


def test_candidate_and_champion_answer_the_newest_holdout_of_their_task():
    row = Row(text="hi", source="t", labels={"route": "a"}, role="holdout", subject="p1")
    sealed = Dataset(name="h", task="route", role="holdout", rows=(row.id,), recipe="")
    old, new = model("old"), model("new")
    crown = Verdict(check="promotion", about=old.id, task="route", passed="yes", at=0.5)
    says = {old.id: "b", new.id: "a"}
    shelf = Shelf(row, sealed, old, new, crown)
    (verdict,) = evaluate.run([new], shelf, [seen], predict=lambda m, texts: [says[m.id]] * len(texts))
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
    (verdict,) = evaluate.run([new], shelf, [seen], predict=lambda m, texts: list(texts))
    assert verdict.n == 2
    assert "candidate_says=['b', 'c']" in verdict.reason


def test_without_a_holdout_there_are_no_questions():
    new = model("new")
    (verdict,) = evaluate.run([new], Shelf(new), [seen], predict=lambda m, texts: ["a"] * len(texts))
    assert verdict.n == 0

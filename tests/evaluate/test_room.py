from functools import partial
from types import SimpleNamespace

import pytest

from openflywheel import evaluate
from openflywheel.base.errors import FlywheelError, StoreError
from openflywheel.base.nouns import Dataset, Fault, Model, Row, Verdict
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
        [new], shelf, [seen], predict=lambda m, texts: [says[m.id]] * len(texts), kinds=ROUTE, state={}
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
    (verdict,) = evaluate.run(
        [new], shelf, [seen], predict=lambda m, texts: list(texts), kinds=ROUTE, state={}
    )
    assert verdict.n == 2
    assert "candidate_says=['b', 'c']" in verdict.reason


def test_without_a_holdout_there_are_no_questions():
    new = model("new")
    (verdict,) = evaluate.run(
        [new], Shelf(new), [seen], predict=lambda m, texts: ["a"] * len(texts), kinds=ROUTE, state={}
    )
    assert verdict.n == 0


def test_a_metric_judges_the_kinds_of_task_that_it_names():
    assert evaluate.judges(accuracy) == ("label",)
    assert evaluate.judges(partial(absolute_error, margin=1.0)) == ("number",)
    new, both = model("new"), [accuracy, absolute_error]

    def checks(kind):
        found = evaluate.run(
            [new], Shelf(new), both, predict=lambda m, texts: [], kinds={"route": kind}, state={}
        )
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
    assert (
        list(evaluate.run([new], shelf, [accuracy], predict=predict, kinds={"route": "text"}, state={})) == []
    )


class TestFailing:
    """A model that can't be judged stops no other."""

    @pytest.fixture
    def room(self):
        """The room with a champion, and with what each model says or raises."""
        row = Row(text="hi", source="t", labels={"route": "a"}, role="holdout", subject="p1")
        sealed = Dataset(name="h", task="route", role="holdout", rows=(row.id,), recipe="")
        old, bad, good = (model(name) for name in ("old", "bad", "good"))
        crown = Verdict(check="promotion", about=old.id, task="route", passed="yes", at=0.5)
        shelf, says, state = Shelf(row, sealed, old, bad, good, crown), {}, {}

        def predict(model, texts):
            said = says.get(model.id, "a")
            if isinstance(said, Exception):
                raise said
            return [said] * len(texts)

        def turn(*took, kinds=ROUTE, metrics=(seen,)):
            return list(evaluate.run(took, shelf, metrics, predict=predict, kinds=kinds, state=state))

        return SimpleNamespace(old=old, bad=bad, good=good, says=says, state=state, turn=turn, shelf=shelf)

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (StoreError("nobody reads its form"), "nobody reads its form"),
            (ValueError("shapes (1,4) and (8,2)"), "ValueError: shapes (1,4) and (8,2)"),
            (KeyError("gamma"), "KeyError: 'gamma'"),
        ],
    )
    def test_one_that_cannot_answer_has_failed_and_the_others_are_judged(self, room, error, said):
        room.says[room.bad.id] = error
        first, second = room.turn(room.bad, room.good, metrics=[seen, accuracy])[:2]
        assert (first.about, first.check, first.passed, first.reason) == (room.bad.id, "seen", "no", said)
        assert (second.about, second.check, second.passed) == (room.bad.id, "accuracy", "no")
        assert room.turn(room.bad, room.good)[1].about == room.good.id
        assert room.turn() == []

    @pytest.mark.parametrize("error", [FlywheelError("no server"), OSError("no space left")])
    def test_one_whose_surroundings_fail_is_judged_in_the_next_turn(self, room, error):
        room.says[room.bad.id] = error
        fault, verdict = room.turn(room.bad, room.good)
        assert isinstance(fault, Fault)
        assert fault.said.startswith(f"bad {room.bad.id[:8]}: ")
        assert str(error) in fault.said
        assert verdict.about == room.good.id
        assert [type(thing) for thing in room.turn()] == [Fault]
        del room.says[room.bad.id]
        assert [v.about for v in room.turn()] == [room.bad.id]
        assert room.turn() == []

    def test_a_newer_one_of_its_name_takes_its_place(self, room):
        room.says[room.bad.id] = FlywheelError("no server")
        room.turn(room.bad)
        newer = Model(name="bad", task="route", base="", method="", taught_by=("more",))
        assert [v.about for v in room.turn(newer)] == [newer.id]
        assert room.state == {"waiting": []}

    def test_a_metric_that_fails_is_asked_again_with_the_others(self, room):
        def broken(contest):
            raise ZeroDivisionError("no people")

        (fault,) = room.turn(room.good, metrics=[seen, broken])
        assert fault.said == f"good {room.good.id[:8]}: ZeroDivisionError: no people"
        assert [v.check for v in room.turn(metrics=[seen, accuracy])] == ["seen", "accuracy"]

    def test_a_damaged_champion_can_be_replaced(self, room):
        room.says[room.old.id] = StoreError("the model was changed on disk")
        fault, verdict = room.turn(room.good)
        assert fault == Fault(f"the champion old {room.old.id[:8]}: the model was changed on disk")
        assert "candidate_says=['a'], champion_says=['']" in verdict.reason

    def test_a_champion_that_cannot_be_asked_now_is_not_beaten_by_silence(self, room):
        room.says[room.old.id] = FlywheelError("its server is down")
        assert [type(thing) for thing in room.turn(room.good)] == [Fault]
        del room.says[room.old.id]
        (verdict,) = room.turn()
        assert "champion_says=['a']" in verdict.reason

    def test_a_model_of_a_task_that_is_gone_is_let_be(self, room):
        assert room.turn(room.good, kinds={}) == []
        assert room.turn() == []

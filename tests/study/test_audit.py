from openflywheel.base.errors import StoreError
from openflywheel.base.holdout import DRAWN, SEALED, held_out
from openflywheel.base.nouns import Exchange, Fault, Model, Row
from openflywheel.base.settings import Budget
from openflywheel.study import Evidence
from openflywheel.study.audit import audit

SHARE = 0.3


def exchange(i):
    return Exchange(episode="e", task="route", input=f"text {i}", output="x", variant="m", subject=f"p{i}")


def model(name):
    return Model(name=name, task="route", base="", method="", taught_by=(name,))


def row(i, label=""):
    return Row(text=f"text {i}", source="t", uri=f"exchange:{i}", labels={"route": label}, role="holdout")


def gaps(fresh=(), rows=(), contests=None, budget=20, predict=lambda m, texts: [], drawn=None):
    evidence = Evidence(fresh, {e.id: e for e in fresh}, {}, (), rows, contests or {}, drawn or {})
    return list(
        audit(
            evidence, budget=Budget(holdout=budget), holdout=SHARE, predict=predict, tasks={"route", "other"}
        )
    )


def test_all_exchanges_of_held_out_people_are_sealed_and_no_others():
    fresh = [exchange(i) for i in range(60)]
    (gap,) = gaps(fresh)
    assert gap.why == SEALED
    assert gap.budget == 0
    assert set(gap.evidence) == {e.id for e in fresh if held_out(e, SHARE)}
    assert 0 < len(gap.evidence) < 60


def new_on_odd(model, texts):
    """The champion says "old"; the candidate agrees on even texts."""
    return ["new" if model.name == "candidate" and int(t.split()[1]) % 2 else "old" for t in texts]


def test_experts_are_asked_only_where_candidate_and_champion_differ():
    pair = {"route": (model("candidate"), model("champion"))}
    (gap,) = gaps(rows=[row(i) for i in range(10)], contests=pair, predict=new_on_odd)
    assert gap.why == DRAWN
    assert set(gap.evidence) == {"1", "3", "5", "7", "9"}
    assert gap.budget == 5


def test_the_budget_holds_and_what_is_labelled_already_is_not_asked_again():
    pair = {"route": (model("candidate"), model("champion"))}
    rows = [row(i) for i in range(20)] + [row(1, "right"), row(3, "right")]
    (gap,) = gaps(rows=rows, contests=pair, budget=4, predict=new_on_odd)
    assert len(gap.evidence) == 4
    assert not {"1", "3"} & set(gap.evidence)


def test_a_model_that_cannot_answer_stops_no_other_task():
    def predict(model, texts):
        if model.task == "route":
            raise StoreError("it was changed on disk")
        return [model.name] * len(texts)

    other = Row(text="text 7", source="t", uri="exchange:7", labels={"other": ""}, role="holdout")
    two = tuple(
        Model(name=name, task="other", base="", method="", taught_by=()) for name in ("candidate", "champion")
    )
    pairs = {"route": (model("candidate"), model("champion")), "other": two}
    fault, gap = gaps(rows=[row(1), other], contests=pairs, predict=predict)
    assert fault == Fault("audit, route: it was changed on disk")
    assert (gap.task, gap.evidence) == ("other", ("7",))


def test_a_task_that_is_gone_is_let_be():
    pair = {"gone": (model("candidate"), model("champion"))}
    assert gaps(rows=[row(1)], contests=pair, predict=None) == []


def test_without_a_candidate_or_a_difference_nobody_is_asked():
    pair = {"route": (model("candidate"), model("champion"))}
    assert gaps(rows=[row(2), row(4)], contests=pair, predict=new_on_odd) == []
    assert gaps(rows=[row(1)]) == []


def test_nobody_is_asked_about_a_text_that_teaches_already():
    pair = {"route": (model("candidate"), model("champion"))}
    taught = Row(text="text 1", source="t", labels={"route": "a"}, role="train")
    (gap,) = gaps(rows=[row(1), row(3), taught], contests=pair, predict=new_on_odd)
    assert gap.evidence == ("3",)


def test_what_the_turn_has_asked_already_counts_against_the_budget():
    pair = {"route": (model("candidate"), model("champion"))}
    rows = [row(i) for i in range(20)]
    (gap,) = gaps(rows=rows, contests=pair, budget=8, predict=new_on_odd, drawn={"route": 5})
    assert gap.budget == 3
    assert gaps(rows=rows, contests=pair, budget=8, predict=new_on_odd, drawn={"route": 9}) == []

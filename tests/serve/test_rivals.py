"""Several candidates of one turn for one task: the best serves, and the others say which it was."""

import pytest

from openflywheel import serve
from openflywheel.base.champion import PROMOTION, champions
from openflywheel.base.nouns import Model, Verdict
from openflywheel.serve._rivals import best_of_each


def model(name, task="route", **report):
    return Model(id=name, name=name, task=task, base="b", method="m", taught_by=(), uri=name, report=report)


def passed(about, score=None, against="", task="route", said="yes"):
    return Verdict(check=PROMOTION, about=about, task=task, against=against, passed=said, score=score)


def chosen(decisions, *models):
    return {one.about: one for one in best_of_each(decisions, {model.id: model for model in models})}


def test_the_one_that_gained_most_on_the_champion_takes_over():
    gained = [passed("a", 0.02, "old"), passed("b", 0.05, "old"), passed("c", 0.03, "old")]
    found = chosen(gained, model("a", accuracy=0.99), model("b"), model("c"))
    assert champions(found.values()) == {"route": "b"}
    assert found["a"].passed == found["c"].passed == "inconclusive"
    assert found["a"].reason == "b passed too, and is better: score 0.05 against 0.02"
    assert found["b"] is gained[1]


@pytest.mark.parametrize(("figure", "best"), [("accuracy", "b"), ("ndcg@10", "b"), ("mae", "a")])
def test_at_the_cold_start_the_figure_that_all_report_decides(figure, best):
    models = model("a", **{figure: 0.4}), model("b", **{figure: 0.6})
    found = chosen([passed("a", 0.0), passed("b", 0.0)], *models)
    assert champions(found.values()) == {"route": best}


def test_without_a_figure_in_common_the_first_trainer_of_the_table_serves():
    found = chosen([passed("a"), passed("b")], model("a", loss=3.0), model("b", accuracy=0.9))
    assert champions(found.values()) == {"route": "a"}
    assert found["b"].reason == "a stands before it in flywheel.yaml, and they report no figure in common"


def test_who_did_not_pass_is_no_rival():
    refused, held = passed("a", 0.9, "old", said="no"), passed("b", 0.8, "old", said="inconclusive")
    found = chosen([refused, held, passed("c", 0.1, "old")], model("a"), model("b"), model("c"))
    assert found["a"] is refused
    assert found["b"] is held
    assert champions(found.values()) == {"route": "c"}


def test_tasks_are_no_rivals_of_each_other():
    found = chosen([passed("a"), passed("b", task="tone"), passed("c")], model("a"), model("b"), model("c"))
    assert champions(found.values()) == {"route": "a", "tone": "b"}


def test_the_room_promotes_one_model_a_task():
    class Past:
        def all(self, kind):
            return said if kind is Verdict else []

        def get(self, kind, ids):
            return {one.id: one for one in (model("head", accuracy=0.9), model("scratch", accuracy=0.5))}

    said = [Verdict(check="accuracy", about=m, task="route", passed="yes") for m in ("head", "scratch")]
    checks = {"route": ("accuracy",)}
    decided = list(serve.run(said, Past(), [], checks=checks, errors={}, scores=lambda model, texts: []))
    assert champions(decided) == {"route": "head"}
    assert [one.passed for one in decided] == ["yes", "inconclusive"]

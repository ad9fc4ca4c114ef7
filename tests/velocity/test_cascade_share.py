import pytest

from openflywheel.base.champion import PROMOTION
from openflywheel.base.nouns import Exchange, Model, Verdict
from openflywheel.base.settings import Task
from openflywheel.velocity.cascade_share import cascade_share

TASKS = {"route": Task(kind="label"), "price": Task(kind="label"), "answer": Task(kind="text")}
OWN = Model(name="own", task="route", base="", method="head", taught_by=())


def asked(output, variant=OWN.id, task="route", cost=0.0):
    return Exchange(episode="e", task=task, input="?", output=output, variant=variant, cost=cost)


def crowned(about):
    return Verdict(check=PROMOTION, about=about, passed="yes", task="route")


def judged(about, passed="yes", high=0.02, at=1.0):
    return Verdict(check="cascade", about=about, passed=passed, high=high, task="route", reason="so", at=at)


@pytest.fixture
def read(log):
    def readings(*exchanges, verdicts=()):
        seen = log(new_exchanges=exchanges, verdicts=verdicts, models={OWN.id: OWN})
        return {(r.name, r.task): r for r in cascade_share(seen, tasks=TASKS)}

    return readings


def test_only_what_an_own_model_answered_is_its_share(read):
    found = read(
        asked("a"), asked("a"), asked(""), asked("a", "openai/gpt-large"), asked("", "person"), asked("a")
    )
    share = found["answered_share", "route"]
    assert (share.value, share.note, share.unit) == (0.5, "3 of 6 exchanges", "share")
    assert 0 < share.low < 0.5 < share.high < 1


def test_the_cost_is_the_mean_whoever_answered(read):
    found = read(asked("a", cost=0.1), asked("", cost=4.1), asked("a", "openai/gpt-large", cost=0.3))
    assert found["cost_per_exchange", "route"].value == pytest.approx(1.5)
    assert found["cost_per_exchange", "route"].unit == "cost"


def test_each_label_task_is_read_by_itself(read):
    found = read(asked("a"), asked("", task="price"), asked("a", task="answer"))
    assert {task for _, task in found} == {"route", "price"}
    assert found["answered_share", "route"].value == 1
    assert found["answered_share", "price"].value == 0


def test_without_exchanges_and_certificates_there_is_nothing_to_read(read):
    assert read() == {}
    assert read(verdicts=[crowned("m")]) == {}


def test_the_bound_is_the_newest_about_the_champion(read):
    verdicts = [judged("m", high=0.05), crowned("m"), judged("m", at=2.0), judged("other", high=0.5)]
    bound = read(verdicts=verdicts)["cascade_error_bound", "route"]
    assert (bound.value, bound.note, bound.turn) == (0.02, "so", 3)


def test_a_new_champion_does_not_inherit_the_bound(read):
    assert read(verdicts=[crowned("m"), judged("m"), crowned("n")]) == {}


def test_where_nothing_is_certified_anything_is_possible(read):
    found = read(verdicts=[crowned("m"), judged("m"), judged("m", "inconclusive", None, at=2.0)])
    assert found["cascade_error_bound", "route"].value == 1

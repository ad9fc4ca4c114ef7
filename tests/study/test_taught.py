from openflywheel.base.nouns import Exchange, Signal
from openflywheel.study import Evidence
from openflywheel.study.taught import taught


def exchange(task="route"):
    return Exchange(episode="e", task=task, input="hi", output="x", variant="m")


def said(about, source="user", correction="a"):
    return Signal(
        exchange=about.id, kind="correction", value=-1.0, source=source, explicit=True, correction=correction
    )


def gaps(exchanges, signals):
    return list(taught(Evidence((), {e.id: e for e in exchanges}, {}, signals, (), {}, {})))


def test_answers_of_people_are_evidence_once_an_exchange_and_by_task():
    one, two, other = exchange(), exchange(), exchange("tone")
    found = gaps([one, two, other], [said(one), said(one, "expert"), said(two), said(other)])
    assert [(g.task, g.evidence, g.budget) for g in found] == [
        ("route", (one.id, two.id), 0),
        ("tone", (other.id,), 0),
    ]


def test_ratings_models_and_rules_teach_nothing():
    one = exchange()
    assert gaps([one], [said(one, correction=""), said(one, "model"), said(one, "code")]) == []

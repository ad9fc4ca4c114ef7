from openflywheel.base.champion import PROMOTION, ROLLBACK, champions
from openflywheel.base.nouns import Verdict


def said(check: str, about: str, task: str = "route", passed: str = "yes") -> Verdict:
    return Verdict(check=check, about=about, task=task, passed=passed)


def test_nobody_serves_before_the_first_promotion():
    assert champions([]) == {}
    assert champions([said("accuracy", "one"), said("guard.pii", "one")]) == {}


def test_the_newest_promotion_serves():
    assert champions([said(PROMOTION, "one"), said(PROMOTION, "two")]) == {"route": "two"}


def test_a_refused_promotion_changes_nothing():
    refused = [said(PROMOTION, "two", passed="no"), said(PROMOTION, "three", passed="inconclusive")]
    assert champions([said(PROMOTION, "one"), *refused]) == {"route": "one"}


def test_a_rollback_brings_the_former_champion_back():
    assert champions([said(PROMOTION, "one"), said(PROMOTION, "two"), said(ROLLBACK, "one")]) == {
        "route": "one"
    }


def test_every_task_has_its_own_champion():
    verdicts = [said(PROMOTION, "one"), said(PROMOTION, "two", task="risk")]
    assert champions(iter(verdicts)) == {"route": "one", "risk": "two"}

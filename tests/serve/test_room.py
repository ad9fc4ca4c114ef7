import pytest

from openflywheel import serve
from openflywheel.base.champion import champions
from openflywheel.base.nouns import Verdict


class Past:
    """The verdicts so far."""

    def __init__(self, *verdicts):
        self.verdicts = list(verdicts)

    def all(self, kind):
        return self.verdicts


def verdict(check, about, passed, **more):
    return Verdict(check=check, about=about, passed=passed, task="route", **more)


def decide(*verdicts, checks=("accuracy", "guard.pii"), past=()):
    return list(serve.run(verdicts, Past(*past, *verdicts), [], checks=checks))


def test_a_model_about_which_every_check_says_yes_is_promoted():
    (decision,) = decide(verdict("accuracy", "m", "yes", score=0.1, n=9), verdict("guard.pii", "m", "yes"))
    assert (decision.check, decision.passed, decision.score, decision.n) == ("promotion", "yes", 0.1, 9)
    assert champions([decision]) == {"route": "m"}


@pytest.mark.parametrize(
    ("accuracy", "guard", "decided"),
    [
        ("no", "yes", "no"),
        ("yes", "no", "no"),
        ("inconclusive", "yes", "inconclusive"),
        ("inconclusive", "no", "no"),
    ],
)
def test_one_no_refuses_and_one_doubt_holds_back(accuracy, guard, decided):
    (decision,) = decide(verdict("accuracy", "m", accuracy), verdict("guard.pii", "m", guard))
    assert decision.passed == decided
    assert champions([decision]) == {}


def test_a_check_that_said_nothing_holds_back():
    (decision,) = decide(verdict("accuracy", "m", "yes"))
    assert decision.passed == "inconclusive"
    assert "guard.pii said nothing" in decision.reason


def test_what_a_failed_room_left_unsaid_can_be_said_later():
    early = verdict("accuracy", "m", "yes")
    (decision,) = decide(verdict("guard.pii", "m", "yes"), past=[early])
    assert decision.passed == "yes"


def test_without_checks_nothing_is_promoted():
    assert decide(verdict("accuracy", "m", "yes"), checks=()) == []


def test_the_champion_is_not_promoted_again():
    crown = verdict("promotion", "m", "yes")
    assert decide(verdict("accuracy", "m", "yes"), verdict("guard.pii", "m", "yes"), past=[crown]) == []


def test_promoting_the_same_model_again_after_another_counts():
    first, second = (decide(verdict("accuracy", "m", "yes"), checks=("accuracy",))[0] for _ in range(2))
    other = verdict("promotion", "n", "yes")
    assert first.id != second.id
    assert champions([first, other, second]) == {"route": "m"}

import pytest

from openflywheel import serve
from openflywheel.base.champion import champions
from openflywheel.base.errors import StoreError
from openflywheel.base.holdout import DRAWN, SPOT
from openflywheel.base.nouns import Exchange, Fault, Gap, Model, Signal, Verdict


class Past:
    """A store in memory."""

    def __init__(self, *nouns):
        self.nouns = nouns

    def all(self, kind):
        return [n for n in self.nouns if type(n) is kind]

    def get(self, kind, ids):
        return {n.id: n for n in self.all(kind) if n.id in ids}

    def heard(self, ids):
        return {i: [s for s in self.all(Signal) if s.exchange == i] for i in ids}


def verdict(check, about, passed, **more):
    return Verdict(check=check, about=about, passed=passed, task="route", **more)


def decide(*verdicts, checks=("accuracy", "guard.pii"), past=()):
    past = Past(*past, *verdicts)
    checks = {"route": checks}
    return list(serve.run(verdicts, past, [], checks=checks, errors={}, scores=lambda model, texts: []))


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


MODEL = Model(name="m", task="route", base="", method="head", taught_by=())
CROWN = Verdict(check="promotion", about=MODEL.id, passed="yes", task="route")
ERROR = 0.05


def answered(i, right="a", source="expert", at=1.0):
    """Question number i and what an expert said of it; the model says "a", the surer the smaller i is."""
    asked = Exchange(episode=f"e{i}", task="route", input=str(i), output="", variant="old")
    said = Signal(
        exchange=asked.id, kind="label", value=0, source=source, explicit=True, correction=right, at=at
    )
    return asked, said


def scores(model, texts):
    return [("a", 1 - int(text) / 1000) for text in texts]


def sample(n, wrong=(), why=SPOT):
    """n spot checks with the gap that asked for them; those in `wrong` were answered wrongly."""
    pairs = [answered(i, "b" if i in wrong else "a") for i in range(n)]
    gap = Gap(topic="t", why=why, task="route", evidence=tuple(e.id for e, _ in pairs), budget=n)
    return [gap, *(noun for pair in pairs for noun in pair)]


def certify(*past, took=(), checks=("accuracy",), error=ERROR, scores=scores):
    past = Past(MODEL, *past, *took)
    return list(serve.run(took, past, [], checks={"route": checks}, errors={"route": error}, scores=scores))


class TestThresholds:
    def test_the_lowest_certain_one_is_kept_as_a_verdict(self):
        (found,) = certify(CROWN, *sample(300, wrong=range(200, 300)))
        assert (found.check, found.about, found.task, found.passed) == ("cascade", MODEL.id, "route", "yes")
        assert (found.high, found.n) == (ERROR, 300)
        assert 0.8 < found.score < 0.83  # the first wrong answer has .8
        assert found.reason.startswith("answers 6")

    def test_it_is_no_promotion(self):
        (found,) = certify(CROWN, *sample(300))
        assert champions([CROWN, found]) == {"route": MODEL.id}
        assert champions([found]) == {}
        assert decide(found, checks=("accuracy", "guard.pii")) == []

    def test_too_few_labels_certify_nothing_and_say_how_many_are_missing(self):
        (found,) = certify(CROWN, *sample(20))
        assert (found.passed, found.score, found.high, found.n) == ("inconclusive", None, None, 20)
        assert found.reason.endswith("39 more")
        assert certify(CROWN)[0].n == 0

    def test_a_model_that_is_promoted_now_is_judged_now(self):
        crown, found = certify(*sample(300), took=[verdict("accuracy", MODEL.id, "yes")])
        assert (crown.check, crown.passed) == ("promotion", "yes")
        assert (found.check, found.passed) == ("cascade", "yes")

    def test_before_there_is_a_champion_nothing_is_judged(self):
        assert certify(*sample(300)) == []

    def test_a_task_without_an_error_is_left_alone(self):
        past = Past(MODEL, CROWN, *sample(300))
        assert list(serve.run([], past, [], checks={}, errors={}, scores=scores)) == []

    def test_the_same_finding_is_kept_once_and_again_after_another(self):
        past = [CROWN, *sample(300)]
        (first,) = certify(*past)
        assert certify(*past, first) == []
        (stricter,) = certify(*past, first, error=0.02)
        (again,) = certify(*past, first, stricter)
        assert again.score == first.score
        assert len({first.id, stricter.id, again.id}) == 3

    def test_only_spot_checks_of_the_task_that_an_expert_answered_count(self):
        gap, *asked = sample(300)
        unanswered = [n for n in asked if not isinstance(n, Signal) or n.exchange in gap.evidence[:250]]
        assert certify(CROWN, gap, *unanswered)[0].n == 250
        assert certify(CROWN, *sample(300, why=DRAWN))[0].n == 0
        elsewhere = Gap(topic="t", why=SPOT, task="risk", evidence=gap.evidence, budget=300)
        assert certify(CROWN, elsewhere, *asked)[0].n == 0
        by_users = [answered(i, source="user") for i in range(300)]
        ids = tuple(e.id for e, _ in by_users)
        of_users = Gap(topic="t", why=SPOT, task="route", evidence=ids, budget=300)
        assert certify(CROWN, of_users, *(n for pair in by_users for n in pair))[0].n == 0

    def test_the_newest_answer_of_the_experts_counts(self):
        gap, *asked = sample(300)
        corrected = [
            Signal(exchange=id, kind="label", value=0, source="expert", explicit=True, correction="b", at=2.0)
            for id in gap.evidence
        ]
        (found,) = certify(CROWN, gap, *asked, *corrected)
        assert found.passed == "inconclusive"

    def test_who_was_forgotten_is_no_longer_in_the_sample(self):
        gap, *asked = sample(300)
        left = [n for n in asked if isinstance(n, Signal) or n.id in gap.evidence[:200]]
        assert certify(CROWN, gap, *left)[0].n == 200

    def test_of_many_spot_checks_the_newest_count(self, monkeypatch):
        monkeypatch.setattr(serve, "NEWEST", 100)
        seen = []
        found = certify(
            CROWN, *sample(300), scores=lambda model, texts: seen.extend(texts) or scores(model, texts)
        )
        assert found[0].n == 100
        assert seen == [str(i) for i in range(200, 300)]

    def test_a_champion_that_cannot_answer_is_certified_nothing(self):
        (found,) = certify(CROWN, *sample(300), scores=lambda model, texts: [("", 0.0)] * len(texts))
        assert found.passed == "inconclusive"

    def test_a_champion_that_is_damaged_stops_no_promotion_and_keeps_its_threshold(self):
        def broken(model, texts):
            raise StoreError("it was changed on disk")

        first = certify(CROWN, *sample(300))
        said = Verdict(check="accuracy", about="other", passed="yes", task="risk")
        past = Past(MODEL, CROWN, *sample(300), *first, said)
        checks = {"route": ("accuracy",), "risk": ("accuracy",)}
        promoted, fault = serve.run([said], past, [], checks=checks, errors={"route": ERROR}, scores=broken)
        assert (promoted.check, promoted.about, promoted.passed) == ("promotion", "other", "yes")
        assert fault == Fault("the champion of route: it was changed on disk")

from openflywheel import study
from openflywheel.base.holdout import DRAWN
from openflywheel.base.nouns import Exchange, Gap, Signal, Step, Verdict
from openflywheel.base.quarantine import QUARANTINE


class Shelf:
    """What the room is given: from memory, and everything is new."""

    def __init__(self, *nouns):
        self.nouns = nouns

    def all(self, kind):
        return [n for n in self.nouns if type(n) is kind]

    new = all

    def get(self, kind, ids):
        return {n.id: n for n in self.all(kind) if n.id in ids}

    def heard(self, ids):
        return {i: [s for s in self.all(Signal) if s.exchange == i] for i in ids}


def evidence(*nouns):
    seen = []
    list(
        study.run(
            [n for n in nouns if isinstance(n, Signal)], Shelf(*nouns), [lambda e: seen.append(e) or []]
        )
    )
    return seen[0]


def drawn(at, budget):
    return Gap(topic="t", why=DRAWN, task="route", evidence=(f"{at}",), budget=budget, at=at)


def test_questions_for_the_holdout_are_counted_from_the_end_of_the_last_turn():
    ends = Step(turn=1, room="velocity", took=0, at=10.0), Step(turn=2, room="study", took=0, at=30.0)
    asked = drawn(5.0, 7), drawn(11.0, 3), drawn(20.0, 2)
    active = Gap(topic="t", why="doubted", task="route", budget=30, at=12.0)
    assert evidence(*ends, *asked, active).drawn == {"route": 5}
    assert evidence(*asked).drawn == {"route": 12}


def heard(value=-1.0, **fields):
    asked = Exchange(episode="e", task="route", input="hi", output="x", variant="m")
    said = {"kind": "correction", "source": "user", "explicit": True, "correction": "refund", **fields}
    return asked, Signal(exchange=asked.id, value=value, **said)


def judged(signal, passed):
    return Verdict(check=QUARANTINE, about=signal.id, passed=passed)


def test_a_student_sees_new_exchanges_and_what_was_heard():
    asked, told = heard()
    seen = evidence(asked, told, judged(told, "yes"))
    assert seen.fresh == [asked]
    assert seen.answered(asked.id) == "refund"
    assert seen.rating(asked.id) == 0


def test_what_a_user_calls_right_is_not_seen_before_it_was_judged_and_passed():
    asked, told = heard()
    for nouns in ((asked, told), (asked, told, judged(told, "no"))):
        seen = evidence(*nouns)
        assert (seen.answered(asked.id), list(seen.signals)) == ("", [])
    later = evidence(asked, told, judged(told, "no"), judged(told, "yes"))
    assert (later.answered(asked.id), list(later.signals)) == ("refund", [told])


def test_a_rating_is_seen_unless_it_was_refused():
    asked, told = heard(kind="rating", correction="")
    assert evidence(asked, told).rating(asked.id) == -1
    assert evidence(asked, told, judged(told, "no")).rating(asked.id) == 0

from collections import Counter

from openflywheel import study
from openflywheel.base.holdout import DRAWN, SPOT, held_out, person_of
from openflywheel.base.nouns import Exchange, Gap, Row
from openflywheel.base.settings import Budget
from openflywheel.study import Evidence
from openflywheel.study.spotcheck import spotcheck

SHARE = 0.3


def exchange(i, person=None, task="route", **fields):
    named = f"p{i}" if person is None else person
    asked = {"episode": f"e{i}", "task": task, "input": f"text {i}", "output": "x", "variant": "m"}
    return Exchange(**asked | {"subject": named} | fields)


def evidence(fresh=(), rows=(), drawn=None, spotted=()):
    known = {e.id: e for e in fresh}
    return Evidence(fresh, known, {}, (), rows, {}, drawn or {}, {e.id: e for e in spotted})


def gaps(fresh, errors=("route",), budget=20, per_turn=10, share=SHARE, **seen):
    settings = {"budget": Budget(holdout=budget), "holdout": share, "per_turn": per_turn}
    return list(spotcheck(evidence(fresh, **seen), errors=dict.fromkeys(errors, 0.02), **settings))


def test_held_out_people_are_asked_about_and_nobody_else():
    fresh = [exchange(i) for i in range(60)]
    (gap,) = gaps(fresh, per_turn=100, budget=100)
    assert (gap.why, gap.task, gap.budget) == (SPOT, "route", len(gap.evidence))
    assert set(gap.evidence) == {e.id for e in fresh if held_out(e, SHARE)}
    assert 0 < gap.budget < 60


def test_only_tasks_whose_cascade_has_an_error_are_asked_about():
    fresh = [exchange(i, task=task) for i in range(40) for task in ("route", "risk")]
    assert gaps(fresh, errors=()) == []
    assert {g.task for g in gaps(fresh, errors=("risk",))} == {"risk"}


def test_every_exchange_has_the_same_chance_whoever_answered_it():
    chosen = Counter()
    for _ in range(300):
        fresh = [exchange(i, confidence=i / 20, output="x" * (i % 2)) for i in range(20)]
        places = {e.id: i for i, e in enumerate(fresh)}
        (gap,) = gaps(fresh, share=1.0, per_turn=5)
        chosen.update(places[id] for id in gap.evidence)
    assert sum(chosen.values()) == 1500
    # 75 are expected of each, with a standard deviation of 7.5: five of them are allowed
    assert all(37 < chosen[i] < 113 for i in range(20))


def test_the_draw_can_be_repeated():
    fresh = [exchange(i) for i in range(60)]
    assert gaps(fresh)[0].evidence == gaps(fresh[::-1])[0].evidence


def test_a_turn_asks_no_more_than_it_may():
    fresh = [exchange(i) for i in range(200)]
    assert gaps(fresh, per_turn=7)[0].budget == 7
    assert gaps(fresh, budget=4)[0].budget == 4
    assert gaps(fresh, budget=20, drawn={"route": 15})[0].budget == 5
    assert gaps(fresh, budget=20, drawn={"route": 25}) == []
    assert gaps(fresh, per_turn=0) == []


def test_a_person_is_asked_about_once_for_each_task():
    talkative = [exchange(i, person="p") for i in range(50)]
    assert gaps(talkative, share=1.0)[0].budget == 1
    fresh = [exchange(i, person="p") for i in range(50, 60)]
    assert gaps(fresh, share=1.0, spotted=talkative[:1]) == []
    assert gaps(fresh, share=1.0, spotted=[exchange(1, person="p", task="risk")])[0].budget == 1


def test_unnamed_people_count_by_their_conversation():
    fresh = [exchange(i, person="", episode=f"talk {i % 3}") for i in range(12)]
    (gap,) = gaps(fresh, share=1.0)
    assert sorted(person_of(e) for e in fresh if e.id in gap.evidence) == ["talk 0", "talk 1", "talk 2"]


def test_what_a_guard_refused_is_no_question():
    assert gaps([exchange(i, input="") for i in range(20)], share=1.0) == []


def test_what_sets_the_threshold_never_judges_a_candidate():
    asked = exchange(1)
    rows = [
        Row(text=f"text {i}", source="t", uri=f"exchange:{id}", labels={"route": ""}, role="holdout")
        for i, id in enumerate((asked.id, "another"))
    ]
    assert [r.uri for r in evidence(rows=rows, spotted=[asked]).unlabelled("route")] == ["exchange:another"]


class Past:
    """A store in memory, in which everything is new."""

    def __init__(self, *nouns):
        self.nouns = nouns

    def all(self, kind):
        return [n for n in self.nouns if type(n) is kind]

    new = all

    def get(self, kind, ids):
        return {n.id: n for n in self.all(kind) if n.id in ids}

    def heard(self, ids):
        return {}


def test_the_room_keeps_one_budget_over_all_students_and_remembers_who_was_drawn():
    seen = []

    def first(evidence):
        seen.append((dict(evidence.drawn), set(evidence.spotted)))
        yield Gap(topic="t", why=SPOT, task="route", evidence=("x",), budget=6)
        yield Gap(topic="t", why="doubted", task="route", evidence=("y",), budget=30)

    def second(evidence):
        seen.append((dict(evidence.drawn), set(evidence.spotted)))
        yield Gap(topic="t", why=DRAWN, task="route", evidence=("z",), budget=3)

    asked = exchange(1)
    before = Gap(topic="t", why=SPOT, task="route", evidence=(asked.id, "erased"), budget=2)
    made = list(study.run([], Past(asked, before), [first, second]))
    assert len(made) == 3
    assert seen == [({"route": 2}, {asked.id}), ({"route": 8}, {asked.id})]

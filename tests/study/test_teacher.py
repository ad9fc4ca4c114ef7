"""What a provider's model answered in ours' place."""

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.base.settings import Task
from openflywheel.study import Evidence
from openflywheel.study.teacher import teacher

TASKS = {"route": Task(kind="label"), "tone": Task(kind="label"), "answer": Task(kind="text")}


def exchange(task="route", variant="openai/large", output="refund"):
    return Exchange(episode="e", task=task, input="hi", output=output, variant=variant)


def gaps(exchanges, signals=()):
    heard = {e.id: [s for s in signals if s.exchange == e.id] for e in exchanges}
    evidence = Evidence(exchanges, {e.id: e for e in exchanges}, heard, signals, (), {}, {})
    return [(g.task, g.why, g.evidence) for g in teacher(evidence, tasks=TASKS)]


def test_a_teachers_answers_go_by_task():
    one, two, other = exchange(), exchange(), exchange("tone")
    assert gaps([one, two, other]) == [
        ("route", "a teacher answered", (one.id, two.id)),
        ("tone", "a teacher answered", (other.id,)),
    ]


def test_our_own_answers_persons_and_texts_are_left_out():
    others = [exchange(variant="0123abcd"), exchange(variant="person", output=""), exchange("answer")]
    assert gaps([*others, exchange(output=""), exchange("none")]) == []


def test_what_a_person_answered_is_left_out():
    one = exchange()
    right = Signal(
        exchange=one.id, kind="correction", value=-1.0, source="user", explicit=True, correction="login"
    )
    assert gaps([one], [right]) == []

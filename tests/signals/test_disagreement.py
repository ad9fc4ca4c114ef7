import pytest

from openflywheel.base.settings import Task
from openflywheel.signals import Episode
from openflywheel.signals._past import Past
from openflywheel.signals.disagreement import disagreement

TASKS = {"route": Task(kind="label"), "answer": Task(kind="text")}


@pytest.fixture
def marks(asked, encoder):
    """Is an answer of variant m marked, given an earlier one?"""

    def mark(output, earlier, text="parcel", **fields):
        task = fields.pop("task", "route")
        about = {"at": 0.0, "variant": "old", "episode": "o", **fields}
        old = asked("parcel, where?", earlier, task=task, **about)
        new = asked(text, output, at=9, task=task)
        past = Past(lambda: [old, new])
        found = disagreement(Episode((new,), {}, past=past), tasks=TASKS, encoder=encoder)
        return [(s.exchange == new.id, s.value, s.source) for s in found]

    return mark


MARKED = [(True, -0.5, "model")]


def test_two_variants_that_label_the_same_question_differently_disagree(marks):
    assert marks("refund", "delivery") == MARKED
    assert marks("delivery", "delivery") == []


def test_another_question_the_same_variant_or_a_hand_over_do_not(marks):
    assert marks("refund", "delivery", text="zebra") == []
    assert marks("refund", "delivery", variant="m") == []
    assert marks("refund", "") == []
    assert marks("", "delivery") == []


@pytest.mark.parametrize("task", ["answer", ""])
def test_texts_disagree_when_they_mean_something_else(marks, task):
    assert marks("tomorrow", "today, or tomorrow", task=task) == []
    assert marks("tomorrow", "never", task=task) == MARKED


def test_what_comes_later_is_not_looked_at(marks):
    assert marks("refund", "delivery", at=10.0) == []

"""Jobs at work are seen and cancelled; what is ready is not lost."""

import pytest
from hosted_lessons import SLOW, lesson_of, rows_of

from openflywheel.base.instruments.account import ProviderFailed
from openflywheel.base.nouns import Model
from openflywheel.customize._hosted.cancelling import at_work, cancel


def test_nothing_is_at_work_at_first(teacher):
    assert at_work(teacher.workspace) == []
    assert cancel(teacher.workspace, teacher.providers) == []
    assert teacher.fake.requests() == []


def test_what_is_at_work_is_told(teacher, lesson):
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    [run] = at_work(teacher.workspace)
    assert (run.task, run.provider, run.job) == ("route", "far", teacher.jobs()[0]["id"])
    assert run.dollars > 0


def test_a_job_at_work_can_be_cancelled(teacher, lesson):
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    assert cancel(teacher.workspace, teacher.providers, "another") == []
    [run] = cancel(teacher.workspace, teacher.providers, "route")
    assert (run.stage, teacher.jobs()[0]["status"]) == ("cancelled", "cancelled")
    assert at_work(teacher.workspace) == []
    [fault] = teacher.teach(lesson)
    assert "cancelled: we cancelled it" in fault.said


def test_cancelling_all_leaves_a_model_that_is_ready(teacher, lesson):
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    teacher.fake.script({})
    [run] = cancel(teacher.workspace, teacher.providers)
    assert run.stage == "created"
    assert isinstance(teacher.teach(lesson)[-1], Model)


def test_one_task_of_several_is_cancelled(teacher, lesson):
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    teacher.teach(lesson_of(rows_of(12, task="tone"), task="tone"))
    [run] = cancel(teacher.workspace, teacher.providers, "tone")
    assert run.task == "tone"
    assert [left.task for left in at_work(teacher.workspace)] == ["route"]


def test_an_outage_cancels_nothing(teacher, lesson):
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    teacher.fake.script({"rules": [{"status": 503}]})
    with pytest.raises(ProviderFailed):
        cancel(teacher.workspace, teacher.providers)
    assert len(at_work(teacher.workspace)) == 1


def test_a_cancelled_job_is_not_paid(teacher, lesson):
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    cancel(teacher.workspace, teacher.providers)
    assert teacher.fake.bill().models == []

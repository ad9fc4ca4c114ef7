"""The trainer, from rows to an opened model, in one turn and in several."""

import logging
import time

import pytest
from hosted_lessons import CREATE, KEY, LABELS, SLOW, Teacher, lesson_of, rows_of
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments import account
from openflywheel.base.nouns import Fault, Model, Row
from openflywheel.customize._hosted import job as jobs
from openflywheel.customize._hosted.run import Book
from openflywheel.customize._waiting import Waiting, taught


@pytest.fixture
def teacher(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(account, "PAUSES", (0.0,))
    monkeypatch.setattr(jobs, "PAUSE", 0.02)
    return Teacher(fake, tmp_path)


@pytest.fixture
def lesson():
    return lesson_of(rows_of(12), validation=rows_of(6, "validation"))


def test_a_label_model_is_tuned_and_opened(teacher, lesson):
    paid, model = teacher.teach(lesson)
    assert (paid.dollars, paid.provider) == (model.report["dollars"], "far")
    assert model.taught_by == (lesson.dataset.id,)
    answers = teacher.open(model)
    said = answers.probabilities([row.text for row in lesson.rows]).argmax(axis=1)
    assert [answers.labels[i] for i in said] == [row.labels["route"] for row in lesson.rows]
    assert teacher.fake.bill().models[0].trained_tokens == model.report["tokens"]


def test_tuning_mattered(teacher, lesson):
    _, model = teacher.teach(lesson)
    tuned = teacher.open(model)
    plain = type(tuned)(tuned.account, "fake-small", tuned.system, tuned.labels)
    assert plain.probabilities(["train question 4"])[0] == pytest.approx([1 / 3] * 3)
    assert tuned.probabilities(["train question 4"])[0].max() > 0.8


def test_a_text_model_writes_what_it_was_taught(teacher):
    rows = [Row(text=f"how is {i}", source="s", labels={"route": f"it is {i}, thank you"}) for i in range(10)]
    _, model = teacher.teach(lesson_of(rows, "text"), system="be kind")
    answers = teacher.open(model)
    assert answers.labels == ()
    assert answers.write([[{"role": "user", "content": "how is 7"}]]) == ["it is 7, thank you"]
    assert "accuracy" not in model.report


def test_preferences_are_tuned_by_dpo(teacher):
    rows = [
        Row(text=f"how is {i}", source="s", labels={"route": f"fine {i}"}, meta={"rejected": "no"})
        for i in range(10)
    ]
    _, model = teacher.teach(lesson_of(rows, "text"), method="dpo")
    assert model.method == "hosted.dpo"
    assert teacher.jobs()[0]["method"]["type"] == "dpo"
    assert teacher.open(model).write([[{"role": "user", "content": "how is 3"}]]) == ["fine 3"]


def test_a_job_that_runs_on_is_taken_up_by_the_next_turn(teacher, lesson, caplog):
    teacher.fake.script(SLOW)
    assert teacher.teach(lesson) == [Waiting("still running at the provider")]
    assert f"the job {teacher.jobs()[0]['id']} is running" in caplog.text
    assert teacher.teach(lesson) == [Waiting("still running at the provider")]
    teacher.fake.script({})
    _, model = teacher.teach(lesson)
    assert isinstance(model, Model)
    assert len(teacher.jobs()) == 1


def test_waiting_ends_when_the_job_does(teacher, lesson):
    teacher.fake.script({"tuning": {"running": 0.3}})
    assert isinstance(teacher.teach(lesson, wait=60.0)[-1], Model)
    assert teacher.told
    steps = [figures["step"] for figures in teacher.told if figures]
    assert steps == sorted(steps)


class Nothing:
    """A store without models."""

    def get(self, kind, ids):
        return {}


def test_the_same_rows_again_give_the_same_model_and_cost_nothing(teacher, lesson):
    first = teacher.teach(lesson)
    again = teacher.teach(lesson)
    assert again == first
    state = {}
    booked = [list(taught(gave, "hosted", "route", Nothing(), state)) for gave in (first, again)]
    assert booked == [first, first[1:]]
    assert len(teacher.jobs()) == 1


def test_another_setting_is_another_job(teacher, lesson):
    teacher.teach(lesson)
    _, model = teacher.teach(lesson, suffix="second")
    assert len(teacher.jobs()) == 2
    assert ":second:" in teacher.open(model).model


def test_a_newer_dataset_waits_for_the_job_at_work(teacher, lesson):
    teacher.fake.script(SLOW)
    newer = lesson_of(rows_of(15), validation=lesson.validation)
    teacher.teach(lesson)
    assert teacher.teach(newer) == [Waiting("still running at the provider")]
    assert len(teacher.jobs()) == 1
    teacher.fake.script({})
    _, first, waiting = teacher.teach(newer)
    assert waiting == Waiting("the job before is over, and the newest rows come next")
    _, second = teacher.teach(newer)
    assert (first.taught_by, second.taught_by) == ((lesson.dataset.id,), (newer.dataset.id,))
    assert len(teacher.jobs()) == 2


def test_tasks_do_not_wait_for_each_other(teacher, lesson):
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    other = lesson_of(rows_of(12, task="tone"), task="tone")
    assert teacher.teach(other) == [Waiting("still running at the provider")]
    assert {job["metadata"]["task"] for job in teacher.jobs()} == {"route", "tone"}
    assert len(Book(teacher.workspace).open()) == 2


def test_a_job_that_fails_is_told_once_and_not_paid(teacher, lesson):
    teacher.fake.script({"tuning": {"fail": "the cluster burned down"}})
    [fault] = teacher.teach(lesson)
    assert isinstance(fault, Fault)
    assert "route at far failed: the cluster burned down; another suffix makes another job" in fault.said
    teacher.fake.script({})
    [again] = teacher.teach(lesson)
    assert again == fault
    assert len(teacher.jobs()) == 1
    assert isinstance(teacher.teach(lesson, suffix="again")[-1], Model)


def test_only_a_job_that_would_be_begun_now_costs_anything(teacher, lesson):
    newer = lesson_of(rows_of(15), validation=lesson.validation)
    assert teacher.foreseen(lesson).dollars > 0
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    assert [teacher.foreseen(each).dollars for each in (lesson, newer)] == [0, 0]
    teacher.fake.script({})
    teacher.teach(newer)
    assert teacher.foreseen(lesson).dollars == 0 < teacher.foreseen(newer).dollars


@pytest.mark.parametrize("rule", [{"status": 503}, {"refuse": True}])
def test_a_provider_that_is_down_is_asked_again(teacher, lesson, rule):
    teacher.fake.script({"rules": [rule]})
    assert teacher.teach(lesson) == [Waiting("still running at the provider")]
    teacher.fake.script({})
    assert isinstance(teacher.teach(lesson)[-1], Model)
    assert len(teacher.jobs()) == 1


def test_an_outage_in_mid_job_loses_nothing(teacher, lesson):
    teacher.fake.script(SLOW)
    teacher.teach(lesson)
    teacher.fake.script({"rules": [{"status": 500}]})
    assert teacher.teach(lesson) == [Waiting("still running at the provider")]
    teacher.fake.script({})
    assert isinstance(teacher.teach(lesson)[-1], Model)
    assert len(teacher.jobs()) == 1


def test_a_refusal_is_told_every_turn_until_it_ends(teacher, lesson):
    teacher.fake.script({"keys": ["another"]})
    for _ in range(2):
        fault, waiting = teacher.teach(lesson)
        assert "status 401" in fault.said
        assert isinstance(waiting, Waiting)
    teacher.fake.script({})
    assert isinstance(teacher.teach(lesson)[-1], Model)


def test_an_order_whose_answer_is_lost_is_paid_once(teacher, lesson):
    teacher.fake.script({"rules": [{**CREATE, "times": 1, "cut_after": 1}]})
    assert isinstance(teacher.teach(lesson)[0], Waiting)
    assert isinstance(teacher.teach(lesson)[-1], Model)
    assert len(teacher.jobs()) == 1


def test_an_order_that_never_arrived_is_sent_when_that_is_sure(teacher, lesson):
    teacher.fake.script({"rules": [{**CREATE, "times": 1, "refuse": True}]})
    for _ in range(2):
        assert isinstance(teacher.teach(lesson)[0], Waiting)
        assert teacher.jobs() == []
    [run] = Book(teacher.workspace).open()
    past = replace(run, at=time.time() - jobs.SETTLES - 1)
    (teacher.workspace / "hosted" / f"{run.id}.json").write_bytes(_json(past))
    assert isinstance(teacher.teach(lesson)[-1], Model)


def _json(run):
    import msgspec

    return msgspec.json.encode(run)


def test_rows_without_weight_and_long_ones_teach_nothing(teacher, lesson):
    long = Row(text="x" * 900, source="s", labels={"route": "track"})
    rows = [*lesson.rows, *rows_of(2, "weightless", weight=0.0), long]
    _, model = teacher.teach(lesson_of(rows), most_tokens=100)
    assert model.report["rows"] == 12


def test_no_validation_leaves_confidence_as_it_is(teacher):
    _, model = teacher.teach(lesson_of(rows_of(12)))
    assert "accuracy" not in model.report
    assert teacher.open(model).measured == 0.5


def test_only_so_many_rows_are_asked(teacher, lesson):
    teacher.teach(lesson, checked=2)
    asked = [seen for seen in teacher.fake.requests() if seen.path.endswith("/chat/completions")]
    assert len(asked) == 2


def test_the_provider_keeps_no_training_file(teacher, lesson):
    teacher.teach(lesson)
    there = account.Account("far", teacher.providers["far"]).get("/files", purpose="fine-tune")
    assert there["data"] == []


def test_the_key_is_nowhere(teacher, lesson, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    teacher.fake.script({"keys": ["another"]})
    gave = teacher.teach(lesson)
    teacher.fake.script({})
    gave += teacher.teach(lesson)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.encode() not in files
    assert KEY not in caplog.text + repr(gave)


def test_wrong_settings_are_told_before_anything_is_sent(teacher, lesson):
    with pytest.raises(SettingsError, match="no provider 'fra'"):
        teacher.teach(lesson, provider="fra")
    with pytest.raises(SettingsError, match="0 examples for openai-dpo"):
        teacher.teach(lesson, method="dpo")
    assert teacher.fake.requests() == []


def test_an_estimate_asks_nobody(teacher, lesson):
    found = teacher.foreseen(lesson)
    assert teacher.fake.requests() == []
    _, model = teacher.teach(lesson)
    assert found.dollars >= model.report["dollars"] > 0  # the fake counts fewer tokens: none for the format
    assert found.cpu_seconds == 0.0


def test_labels_of_validation_that_were_never_taught_count_as_wrong(teacher):
    strange = Row(text="x", source="s", labels={"route": "strange"}, role="validation")
    lesson = lesson_of(rows_of(12), validation=[*rows_of(4, "validation"), strange])
    _, model = teacher.teach(lesson)
    assert teacher.open(model).labels == LABELS
    asked = [seen for seen in teacher.fake.requests() if seen.path.endswith("/chat/completions")]
    assert len(asked) == 5
    assert model.report["accuracy"] == 0.8

"""From a lesson and settings to a run that has a name."""

import json

import pytest
from hosted_lessons import LABELS, lesson_of, rows_of
from msgspec.structs import replace

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Row
from openflywheel.customize._hosted.wish import INSTRUCTION, Wish, planned

WISH = Wish("far", "fake-small", "supervised", 3, "", "", 65_536)


def plan(lesson, price=25.0, seed=1, **changed):
    return planned(lesson, replace(WISH, **changed), price, seed)


def test_a_plan_has_a_run_and_its_files(lesson):
    made = plan(lesson)
    run = made.run
    assert (run.task, run.kind, run.dataset, run.provider) == ("route", "label", lesson.dataset.id, "far")
    assert (run.labels, run.rows, run.stage, run.job) == (LABELS, 12, "new", "")
    assert (made.training.rows, made.validation.rows) == (12, 6)
    assert run.tokens == 3 * made.training.tokens


def test_the_same_wish_has_the_same_name(lesson):
    assert plan(lesson).run.id == plan(lesson, price=1.0, seed=7).run.id


@pytest.mark.parametrize(
    "changed",
    [
        {"base": "other"},
        {"provider": "near"},
        {"epochs": 2},
        {"suffix": "b"},
        {"system": "x"},
        {"most_tokens": 99},
    ],
)
def test_another_wish_has_another_name(lesson, changed):
    assert plan(lesson).run.id != plan(lesson, **changed).run.id


def test_other_rows_have_another_name(lesson):
    more = lesson_of([*lesson.rows, *rows_of(1, "more")], validation=lesson.validation)
    assert plan(lesson).run.id != plan(more).run.id
    assert plan(lesson).run.id != plan(replace(lesson, validation=())).run.id


def test_the_same_rows_of_another_dataset_are_no_other_wish(lesson):
    again = lesson_of(lesson.rows, validation=lesson.validation, recipe="another")
    assert plan(lesson).run.id == plan(again).run.id


def test_labels_are_asked_for_by_an_instruction(lesson):
    first = json.loads(plan(lesson).training.content.splitlines()[0])
    assert first["messages"][0] == {"role": "system", "content": INSTRUCTION}
    own = json.loads(plan(lesson, system="mine").training.content.splitlines()[0])
    assert own["messages"][0]["content"] == "mine"


def test_texts_need_no_instruction(lesson):
    made = plan(replace(lesson, kind="text"))
    assert [m["role"] for m in json.loads(made.training.content.splitlines()[0])["messages"]] == [
        "user",
        "assistant",
    ]
    assert (made.run.labels, made.run.system) == ((), "")


def test_pairs_come_from_both_sets():
    own = [
        Row(text=f"q{i}", source="s", labels={"route": "good"}, meta={"rejected": "bad"}) for i in range(6)
    ]
    thumbs = [
        Row(text=f"p{i}", source="s", labels={"route": "good"}, meta={"rejected": "x"}) for i in range(5)
    ]
    lesson = lesson_of([*own, *rows_of(3)], "text", preference=[*thumbs, *rows_of(2, "preference")])
    made = plan(lesson, method="dpo")
    assert made.training.rows == 11
    assert json.loads(made.training.content.splitlines()[0])["non_preferred_output"][0]["content"] == "bad"


def test_too_few_pairs_are_told(lesson):
    with pytest.raises(SettingsError, match="0 examples for openai-dpo"):
        plan(lesson, method="dpo")


def test_too_few_rows_are_told():
    with pytest.raises(SettingsError, match="task 'route' has 9 examples for openai, which takes 10 or more"):
        plan(lesson_of(rows_of(9)))


def test_the_estimate_is_tokens_times_epochs_times_price(lesson):
    made = plan(lesson, epochs=2, price=10.0).estimate
    tokens = plan(lesson).training.tokens
    assert (made.tokens, made.dollars) == (2 * tokens, pytest.approx(2 * tokens * 10 / 1e6))
    assert (made.cpu_seconds, made.gpu_seconds, made.note) == (0.0, 0.0, "12 examples")

"""What a lesson becomes before training: who teaches, who judges, which tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.template import Template
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize._scratch.lessons import parted, tokenizer, tokens
from openflywheel.customize._scratch.vocabulary import LABELS, written

TASK = "route"


def row(text, label, **more):
    return Row(text=text, source="t", labels={TASK: label}, **more)


def lesson(rows, kind="label", validation=()):
    dataset = Dataset(name="d", task=TASK, role="train", rows=tuple(r.id for r in rows), recipe="")
    return Lesson(dataset, rows, kind, validation)


def many(number=60, labels=("a", "b"), **more):
    return [row(f"question {i}", labels[i % len(labels)], **more) for i in range(number)]


def words(parts, kind="label"):
    return tokenizer(parts, TASK, 300)


@given(st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abc"), st.integers(0, 99)), max_size=60))
def test_rows_are_parted_by_people_and_no_label_loses_all_that_teach_it(said):
    rows = [row(f"text {n}", label, subject=f"person {who}") for who, label, n in said]
    rows += [row(f"sure {n}", "ab"[n % 2], subject=f"sure {n}") for n in range(80)]
    found = parted(lesson(rows))
    every = (*found.teaching, *found.ending, *found.judging)
    assert sorted(r.id for r in every) == sorted(r.id for r in rows)
    assert set(found.labels) == {r.labels[TASK] for r in rows} == {r.labels[TASK] for r in found.teaching}
    assert list(found.labels) == sorted(found.labels)


def test_nobody_both_teaches_and_judges_when_the_task_is_text():
    rows = [row(f"text {n}", "an answer", subject=f"person {n % 40}") for n in range(400)]
    found = parted(lesson(rows, "text"))
    assert found.labels == ()
    assert found.judging
    assert not {r.subject for r in found.teaching} & {r.subject for r in found.judging}
    assert len(found.judging) == pytest.approx(40, abs=40)


def test_the_same_rows_judge_in_whatever_order_they_come():
    rows = many(200)
    there, back = parted(lesson(rows)), parted(lesson(rows[::-1]))
    assert {r.id for r in there.judging} == {r.id for r in back.judging}
    more = parted(lesson([*rows, *many(50, labels=("c", "d"))]))
    assert {r.text for r in there.judging} <= {r.text for r in more.judging}  # nor by what else is there


@pytest.mark.parametrize("kind", ["label", "text"])
def test_rows_that_end_a_run_are_of_other_people_than_those_that_judge(kind):
    rows = [row(f"text {n}", "ab"[n % 2], subject=f"person {n % 300}") for n in range(900)]
    for found in (parted(lesson(rows, kind)), parted(lesson(many(10), kind, rows))):
        people = [{r.subject for r in part} for part in (found.teaching, found.ending, found.judging)]
        assert all(people)
        assert sum(map(len, people)) == len(set.union(*people))
        assert len(found.ending) <= len(found.judging) <= len(found.ending) + 3


def test_few_rows_judge_and_end_nothing():
    few = [row(f"held out {n}", "ab"[n % 2]) for n in range(39)]
    found = parted(lesson(many(10), validation=few))
    assert (len(found.judging), found.ending) == (39, ())


def test_where_one_half_knows_no_label_all_judge():
    strange = [row(f"held out {n}", "never taught") for n in range(60)]
    found = parted(lesson(many(10), validation=[*strange, row("old", "a")]))
    assert "old" in {r.text for r in found.judging}
    assert len(found.judging) + len(found.ending) == 61


def test_one_person_alone_teaches_and_judges():
    found = parted(lesson(many(200, subject="me")))
    assert 5 < len(found.judging) < 40
    assert len(found.teaching) + len(found.judging) == 200


def test_people_who_alone_teach_a_label_judge_nothing():
    rows = [row(f"text {n}", f"label {n % 150}", subject=f"person {n % 150}") for n in range(600)]
    rows += [row(f"more {n}", f"label {n % 100}", subject=f"other {n}") for n in range(400)]
    found = parted(lesson(rows))
    assert not {r.subject for r in found.teaching} & {r.subject for r in (*found.judging, *found.ending)}
    assert len(found.labels) == 150


def test_a_text_without_a_person_is_never_on_both_sides():
    rows = [row(f"question {i % 50}", "ab"[i % 2]) for i in range(200)]
    found = parted(lesson(rows))
    assert not {r.text for r in found.teaching} & {r.text for r in found.judging}


def test_a_validation_of_its_own_judges_and_all_rows_teach():
    rows, validation = many(10), [row("held out", "a"), row("held out too", "b")]
    found = parted(lesson(rows, validation=validation))
    assert [r.id for r in found.teaching] == [r.id for r in rows]
    assert [r.text for r in found.judging] == ["held out", "held out too"]


def test_a_label_that_nobody_teaches_is_judged_and_gives_no_example():
    found = parted(lesson(many(10), validation=[row("new", "never taught"), row("old", "a")]))
    assert [r.text for r in found.judging] == ["new", "old"]
    assert found.labels == ("a", "b")
    made = words(found)
    assert len(tokens(found.judging, TASK, found, Template(made), 64)) == 1


def test_validation_that_knows_no_label_is_too_little():
    with pytest.raises(SettingsError, match="'route' has 10 rows: too few to learn from and to judge by"):
        parted(lesson(many(10), validation=[row("new", "never taught")]))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "task 'route' has examples of 0 label; a classifier needs two"),
        (many(40, labels=("a",)), "task 'route' has examples of 1 label; a classifier needs two"),
    ],
)
def test_a_classifier_needs_two_labels(rows, said):
    with pytest.raises(SettingsError, match=said):
        parted(lesson(rows))


@pytest.mark.parametrize("rows", [[], [row("one", "an answer")]])
def test_a_text_task_needs_rows_on_both_sides(rows):
    with pytest.raises(SettingsError, match=f"task 'route' has {len(rows)} rows: too few .*flywheel experts"):
        parted(lesson(rows, "text"))


def test_a_question_counts_alone_for_labels_and_with_its_chat_for_texts():
    chat = '[{"role": "user", "content": "first"}, {"role": "user", "content": "then"}]'
    rows = many(60, meta={"chat": chat})
    held, free = parted(lesson(rows)), parted(lesson(rows, "text"))
    assert all(not r.meta for r in (*held.teaching, *held.judging))
    assert all(r.meta == {"chat": chat} for r in (*free.teaching, *free.judging))
    assert all(r.meta == {"chat": chat} for r in rows)  # the lesson's own stay as they were


def test_each_label_is_one_token_in_the_order_of_the_labels():
    parts = parted(lesson(many(60, labels=("refund", "a label of words", "Ärger"))))
    made = words(parts)
    ids = [made(written(label), add_special_tokens=False)["input_ids"] for label in parts.labels]
    assert ids == [[LABELS + n] for n in range(3)]


def test_labels_are_read_in_lower_case_and_texts_as_they_are():
    rows = many(60)
    held, free = words(parted(lesson(rows))), words(parted(lesson(rows, "text")))
    for made, alike in ((held, True), (free, False)):
        loud, quiet = (made(text, add_special_tokens=False)["input_ids"] for text in ("QUESTION", "question"))
        assert (loud == quiet) is alike


@pytest.mark.parametrize("text", ["naïve — 日本語 🎉", "a\n\tb", "", "  two  spaces"])
def test_a_tokenizer_that_writes_can_write_everything(text):
    made = words(parted(lesson(many(60), "text")))
    ids = made(text, add_special_tokens=False)["input_ids"]
    assert made.decode(ids).removeprefix(" ") == text.removeprefix(" ")


def test_an_example_of_a_label_ends_with_its_token():
    parts = parted(lesson(many(60)))
    made = words(parts)
    found = tokens(parts.teaching, TASK, parts, Template(made), 64)
    assert len(found) == len(parts.teaching)
    for example, taught in zip(found, parts.teaching, strict=True):
        assert example.answer == [LABELS + parts.labels.index(taught.labels[TASK])]
        assert example.start == len(example.tokens) - 1


def test_an_example_of_a_text_holds_the_answer_and_its_end():
    parts = parted(lesson([row(f"question {i}", f"answer {i}") for i in range(60)], "text"))
    made = words(parts)
    found = tokens(parts.teaching, TASK, parts, Template(made), 64)
    for example, taught in zip(found, parts.teaching, strict=True):
        assert made.decode(example.answer[:-1]).strip() == taught.labels[TASK]
        assert example.answer[-1] == made.eos_token_id


def test_rows_that_do_not_fit_are_left_out_until_none_is_left():
    rows = [*many(60), row("word " * 200, "a"), row("word " * 200, "b")]
    parts = parted(lesson(rows))
    made = words(parts)
    found = tokens(rows, TASK, parts, Template(made), 20)
    assert len(found) == 60
    with pytest.raises(SettingsError, match="no row of task 'route' fits into most_tokens = 20"):
        tokens(rows[60:], TASK, parts, Template(made), 20)


def test_a_weight_goes_with_its_row_and_is_never_nothing():
    parts = parted(lesson([row(f"question {i}", "ab"[i % 2], weight=i % 3) for i in range(60)]))
    found = tokens(parts.teaching, TASK, parts, Template(words(parts)), 64)
    for example, taught in zip(found, parts.teaching, strict=True):
        assert example.weight == (taught.weight or pytest.approx(1e-3))

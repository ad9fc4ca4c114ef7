"""The machinery of prompts: what is paid, which rows are asked about, which candidate wins."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Row
from openflywheel.customize._prompt.choosing import Tried, Trying, Way, choose, leads, number, winner
from openflywheel.customize._prompt.paying import Paying
from openflywheel.customize._prompt.questions import score, teaching
from openflywheel.customize._prompt.telling import sureness

WAY = Way("Sort it.", 0)


def scores(right, of):
    return np.array([1.0] * right + [0.0] * (of - right))


def tried(right, cost, name="x", of=20):
    return Tried(Way(name, 0), [("a", False)] * of, scores(right, of), cost)


def row(text, label="a", **fields):
    return Row(text=text, source="t", labels={"route": label}, **fields)


@pytest.mark.parametrize(
    ("first", "second", "ahead"), [(10, 9, False), (10, 8, True), (9, 10, False), (7, 7, False)]
)
def test_one_question_more_of_ten_is_noise_and_two_are_not(first, second, ahead):
    assert leads(scores(first, 10), scores(second, 10)) is ahead


def test_a_lead_that_goes_back_and_forth_needs_more():
    first, second = np.array([1, 1, 1, 1, 0, 0.0]), np.array([0, 0, 1, 1, 1, 0.0])
    assert first.mean() > second.mean()
    assert not leads(first, second)


def test_the_cheapest_within_noise_of_the_best_wins():
    dear, middle, cheap = tried(20, 300, "dear"), tried(19, 200, "middle"), tried(15, 100, "cheap")
    assert winner([dear, middle, cheap]).way.instructions == "middle"
    assert winner([dear, tried(17, 200), cheap]).way.instructions == "dear"
    assert winner([tried(9, 100, "first"), tried(9, 100, "second")]).way.instructions == "first"


def test_the_interval_holds_the_score():
    low, high = tried(15, 1).interval
    assert low < 0.75 < high


@pytest.mark.parametrize(("k", "candidates"), [(0, 2), (1, 3), (2, 5), (8, 5)])
def test_as_many_candidates_are_tried_as_were_said(k, candidates):
    known = teaching([row(f"text {n}", "ab"[n % 2]) for n in range(30)], "route", NgramEncoder())
    questions = known.questions([row(f"other {n}") for n in range(12)], "route", k)
    # right only when it is shown all demonstrations, so that their order is tried as well
    trying = Trying("label", ("a", "b"), lambda prompt: "ab"[prompt.count("<example>") < k])
    found = choose(trying, ["Sort it.", "Please, sort it."], k, questions)
    assert len(found) == number(2, k) == candidates
    assert len({each.way for each in found}) == candidates
    assert found[-1].way == Way("Sort it.", k)


def test_questions_are_never_shown_their_own_text_or_person():
    said = {
        "where is it": "p",
        "WHERE  is it": "q",
        "where is it now": "p",
        "where was it": "q",
        "where is this": "",
    }
    rows = [row(text, subject=person) for text, person in said.items()]
    known = teaching(rows, "route", NgramEncoder())
    shown = [[e.text for e in q.nearest] for q in known.questions(rows, "route", 4)]
    assert sorted(shown[0]) == ["where is this", "where was it"]
    assert "where is it" not in shown[2]
    assert len(shown[4]) == 4
    assert [q.nearest for q in known.questions(rows[:1], "route", 0)] == [()]
    assert known.questions([], "route", 4) == []


def test_doubted_rows_demonstrate_nothing():
    rows = [row("one"), row("two"), row("three", weight=0.3)]
    assert [e.text for e in teaching(rows, "route", NgramEncoder()).pool.examples] == ["one", "two"]
    light = [row(text, weight=0.3) for text in ("one", "two")]
    assert len(teaching(light, "route", NgramEncoder()).pool.examples) == 2


def test_a_conversation_is_asked_as_it_was():
    chat = [{"role": "user", "content": "hi"}, {"role": "user", "content": "where?"}]
    known = teaching([row("x")], "route", NgramEncoder())
    [question] = known.questions([row("where?", meta={"chat": json.dumps(chat)})], "route", 1)
    assert question.chat == chat
    assert question.text == "where?"


@pytest.mark.parametrize(
    ("said", "right", "expected"),
    [
        ("it is here", "it is here", 1),
        ("It IS", "it is here", 0.8),
        ("no", "it is", 0),
        ("", "it", 0),
        ("a a a", "a", 0.5),
    ],
)
def test_texts_are_scored_by_the_words_that_they_share(said, right, expected):
    assert score("text", said, right) == pytest.approx(expected)


def test_a_label_is_right_or_wrong():
    assert [score("label", "a", "a"), score("label", "a b", "a"), score("label", "", "a")] == [1, 0, 0]


def test_how_sure_it_is_was_measured_and_is_never_certain():
    answers = [("a", True)] * 20 + [("a", False)] * 10 + [("", False)] * 5
    found = sureness(Tried(WAY, answers, np.array([1.0] * 20 + [1.0, 0.0] * 5 + [0.0] * 5), 1))
    overall = 26 / 32
    assert found.agreed == pytest.approx((20 + 2 * overall) / 22)
    assert found.alone == pytest.approx((5 + 2 * overall) / 12)
    nothing = sureness(Tried(WAY, [("", False)], np.zeros(1), 1))
    assert (nothing.agreed, nothing.alone) == (0.5, 0.5)


def test_each_prompt_is_paid_once_also_over_restarts(tmp_path):
    asked, told, file = [], [], tmp_path / "deep" / "answers.jsonl"

    def ask(prompt):
        asked.append(prompt)
        return f"{prompt}!\n"

    paying = Paying(ask, file, 9, told.append)
    assert [paying("one"), paying("two"), paying("one")] == ["one!\n", "two!\n", "one!\n"]
    assert (paying.calls, paying.sent, paying.received) == (2, 2, 4)
    again = Paying(ask, file, 9, told.append)
    assert again.calls == 0
    assert (again("two"), again.calls) == ("two!\n", 1)
    assert asked == ["one", "two"]
    assert told == [{"step": 1, "steps": 9}, {"step": 2, "steps": 9}, {"step": 1, "steps": 9}]


def test_a_run_keeps_its_name_as_long_as_its_answers(tmp_path):
    one, other = (Paying(str, tmp_path / name / "answers.jsonl", 9, print) for name in "ab")
    assert one.run != other.run
    assert Paying(str, tmp_path / "a" / "answers.jsonl", 9, print).run == one.run
    (tmp_path / "a" / "run").write_bytes(b"")  # a crash
    assert Paying(str, tmp_path / "a" / "answers.jsonl", 9, print).run not in ("", one.run)


@pytest.mark.parametrize("torn", [b'["abc', b"\xff"])
def test_a_torn_line_is_asked_again(tmp_path, torn):
    file = tmp_path / "answers.jsonl"
    Paying(lambda _: "yes", file, 9, lambda _: None)("one")
    file.write_bytes(file.read_bytes() + torn)
    paying = Paying(lambda _: "no", file, 9, lambda _: None)
    assert [paying("one"), paying("two")] == ["yes", "no"]
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == 2


def test_an_empty_first_line_that_was_torn_leaves_nothing(tmp_path):
    file = tmp_path / "answers.jsonl"
    file.write_bytes(b'["torn')
    assert Paying(lambda _: "no", file, 9, lambda _: None)("one") == "no"
    assert len(file.read_text().splitlines()) == 1


def test_many_at_once_are_all_counted(tmp_path):
    paying = Paying(str.upper, tmp_path / "answers.jsonl", 99, lambda _: None)
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(paying, [f"text {n % 40}" for n in range(80)]))
    assert said == [f"TEXT {n % 40}" for n in range(80)]
    assert paying.calls == 40

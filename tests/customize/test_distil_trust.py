"""The machinery of distil: whose rows are whose, and what a teacher's rows are worth."""

import numpy as np
import pytest
from msgspec import structs

from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.instruments.vectors import softmax
from openflywheel.base.nouns import Exchange, Row, Signal
from openflywheel.customize._distil.calibrating import calibrated
from openflywheel.customize._distil.judging import Judges, apart, judged
from openflywheel.customize._distil.reliability import bounded, reliability, trusted
from openflywheel.customize._distil.sorting import sort

ENCODER = NgramEncoder()


def row(text, label, by="expert", **fields):
    return Row(text=text, source="t", labels={"route": label}, labelled_by=by, **fields)


def exchange(output="a", variant="big/model"):
    return Exchange(episode="e", task="route", input="x", output=output, variant=variant)


def sorted_rows(rows, exchanges=(), signals=(), teacher=""):
    heard = {s.exchange: [s] for s in signals}
    return sort(
        rows, "route", exchanges=lambda ids: {e.id: e for e in exchanges if e.id in ids},
        heard=lambda ids: {id: heard[id] for id in ids if id in heard}, teacher=teacher,
    )  # fmt: skip


def signal(about, **fields):
    return Signal(
        **{"exchange": about.id, "kind": "thumb", "value": -1.0, "source": "user", "explicit": True, **fields}
    )


def test_rows_are_told_apart_by_who_labelled_them():
    people = [row("one", "a", "seed"), row("two", "a", "user"), row("three", "a")]
    found = sorted_rows([*people, row("four", "a", "model"), row("five", "a", "")])
    assert found.people == people
    assert [r.text for r in found.teacher] == ["four"]


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({}, False),
        ({"value": 1.0}, True),
        ({"value": 0.0}, True),
        ({"value": 1.0, "correction": "b"}, False),
        ({"value": 0.0, "correction": "a"}, True),
    ],
)
def test_feedback_that_speaks_against_a_row_rejects_it(fields, kept):
    asked = exchange()
    found = sorted_rows(
        [row("one", "a", "model", uri=f"exchange:{asked.id}")], [asked], [signal(asked, **fields)]
    )
    assert [len(found.teacher), found.rejected] == [kept, not kept]


def test_what_the_teacher_said_is_known_from_the_exchange_the_row_or_its_own_row():
    first, person = exchange("a"), exchange("b", variant="person")
    rows = [
        row("one", "b", uri=f"exchange:{first.id}"),
        row("two", "b", meta={"teacher": "c"}),
        row("three", "b"),
        row("THREE ", "d", "model"),
        row("four", "b", uri=f"exchange:{person.id}"),
        row("five", "b"),
    ]
    found = sorted_rows(rows, [first, person])
    assert [found.said.get(r.id) for r in found.people] == ["a", "c", "d", None, None]
    assert (found.teacher, found.overruled) == ([], 1)


def test_a_named_teacher_is_the_only_one():
    big, own = exchange(), exchange(variant="m123")
    rows = [
        row("one", "a", "model", uri=f"exchange:{big.id}"),
        row("two", "a", "model", uri=f"exchange:{own.id}"),
        row("three", "a", "model", meta={"variant": "big/model"}),
        row("four", "a", uri=f"exchange:{own.id}"),
    ]
    found = sorted_rows(rows, [big, own], teacher="big/model")
    assert [r.text for r in found.teacher] == ["one", "three"]
    assert found.said == {}


def checked(*cases):
    """People's rows of (text, truth, what the teacher said), and their reliability."""
    rows = [row(text, truth) for text, truth, _ in cases]
    return reliability(rows, {r.id: case[2] for r, case in zip(rows, cases, strict=True)}, "route", ENCODER)


def test_classes_are_drawn_towards_the_mean():
    found = checked(*((f"text {n}", "a", "a") for n in range(8)), ("other", "b", "c"))
    assert found.overall == pytest.approx(9 / 11)
    assert found.checked == 9
    assert (found.classes["a"].right, found.classes["c"].right) == (8, 0)
    assert found.drawn(0, 1) == pytest.approx(4 * 9 / 11 / 5)


MIXED = [(f"my parcel {n} is late", "parcel", "parcel") for n in range(6)] + [
    (f"money back for {n}", "refund", "parcel") for n in range(6)
]
RIGHT = [(f"no login {n}", "login", "login") for n in range(20)]


def test_a_class_that_is_often_wrong_is_sorted_by_what_people_checked():
    found = checked(*MIXED, *RIGHT)
    rows = [row("my parcel 77 is late", "parcel", "model"), row("money back for 78", "parcel", "model")]
    believed = trusted(rows, "route", found, 0.7, ENCODER)
    assert [r.labels["route"] for r in believed] == ["parcel", "refund"]
    assert [r.id for r in believed] == [r.id for r in rows]
    assert all(0.7 < r.weight < 1 for r in believed)


def test_a_class_that_cannot_be_sorted_is_left_out():
    noise = [(f"text {n}", "ab"[n % 2], "b") for n in range(12)]
    found = checked(*noise, *RIGHT)
    assert trusted([row("text 77", "b", "model")], "route", found, 0.9, ENCODER) == []


def test_a_class_that_is_right_weighs_as_much_as_it_is_right():
    found = checked(*MIXED, *RIGHT)
    [login] = trusted([row("no login", "login", "model", weight=0.5)], "route", found, 0.7, ENCODER)
    assert login.weight == pytest.approx(0.5 * found.drawn(20, 20))


def test_a_class_that_nobody_checked_is_as_right_as_the_teacher_is():
    found = checked(*RIGHT)
    [new] = trusted([row("x", "new", "model")], "route", found, 0.7, ENCODER)
    assert new.weight == pytest.approx(found.overall)
    assert trusted([row("x", "new", "model")], "route", checked(), 0.7, ENCODER) == []


def test_one_checked_row_that_was_wrong_proves_nothing_and_two_do():
    once, twice = (("money back", "refund", "parcel"), ("my money", "refund", "parcel"))
    new = [row("x", "parcel", "model")]
    found = checked(*RIGHT, once)
    assert found.classes["parcel"].resorted == 0
    assert [r.labels["route"] for r in trusted(new, "route", found, 0.7, ENCODER)] == ["parcel"]
    found = checked(*RIGHT, once, twice)
    assert [r.labels["route"] for r in trusted(new, "route", found, 0.7, ENCODER)] == ["refund"]


@pytest.mark.parametrize(("most", "weight"), [(1.0, 0.2), (2.0, 0.4), (0.0, 0.0), (10.0, 1.0)])
def test_the_teacher_never_outweighs_people(most, weight):
    people, teacher = [row("p", "a"), row("q", "a")], [row(str(n), "a", "model") for n in range(10)]
    assert [r.weight for r in bounded(teacher, people, most)] == pytest.approx([weight] * 10)
    assert bounded([], people, most) == []


def test_the_same_rows_judge_in_every_turn():
    rows = [row(f"text {n}", "a") for n in range(200)]
    teaching, judging = apart(rows, 0.25)
    assert len(teaching) + len(judging) == 200
    assert 30 < len(judging) < 70
    assert apart(rows[::-1], 0.25)[1] == judging[::-1]
    assert apart(rows, 0)[1] == []


def test_nobody_both_teaches_and_judges():
    rows = [row(f"text {n}", "a", subject=f"p{n % 50}") for n in range(500)]
    teaching, judging = apart(rows, 0.25)
    assert len(teaching) + len(judging) == 500
    assert not {r.subject for r in teaching} & {r.subject for r in judging}
    assert 60 < len(judging) < 200


class Says:
    labels = ("a", "b")

    def __init__(self, answers):
        self.answers = answers

    def probabilities(self, texts):
        return np.array([[1, 0] if self.answers[text] == "a" else [0, 1] for text in texts], np.float32)


def test_the_figures_are_those_of_peoples_rows_and_agreement_stands_apart():
    people = [row(f"text {n}", "a" if n < 30 else "b") for n in range(40)]
    student = Says({**{r.text: "a" for r in people}, "x": "a", "y": "b"})
    judges = Judges(people, {r.id: "a" for r in people}, [row("x", "a", "model"), row("y", "a", "model")])
    figures = judged(student, "route", judges)
    assert figures["accuracy"] == 0.75
    assert figures["accuracy_low"] < 0.75 < figures["accuracy_high"]
    assert figures["agreement"] == 0.5
    assert figures["gap"] == pytest.approx(1 - 0.75)
    assert figures["judged"] + figures["missing"] == pytest.approx(
        1.96**2 * (32 / 44) * (12 / 44) / 0.05**2, abs=0.5
    )


class Sure:
    """Says the first letter of a text, always as sure."""

    labels = ("a", "b", "c")

    def __init__(self, sharpness):
        self.sharpness = sharpness

    def probabilities(self, texts):
        scores = np.array([[text[0] == label for label in self.labels] for text in texts], np.float32)
        return softmax(scores * np.float32(self.sharpness))


def people_of(number, wrong, label="c"):
    return [row(f"{'ab'[n % 2]} {n}", label if n < wrong else "ab"[n % 2]) for n in range(number)]


@pytest.mark.parametrize("before", [0.5, 8.0, 800.0])
def test_the_temperature_that_is_kept_makes_confidence_mean_how_often_people_agree(before):
    changed, figures = calibrated(Sure(before), {"sharpness": before, "x": 1}, "route", people_of(40, 10), 7)
    sure = Sure(changed["sharpness"]).probabilities(["a"]).max()
    assert set(changed) == {"sharpness"}
    assert sure == pytest.approx(0.75, abs=0.03)
    assert figures["calibrated_by_people"] == 40
    assert "calibrated_by_student" not in figures


def test_rows_of_people_count_by_their_weight():
    light = [structs.replace(r, weight=0.0 if r.labels["route"] == "c" else 1.0) for r in people_of(40, 10)]
    changed, _ = calibrated(Sure(1.0), {"sharpness": 1.0}, "route", light, 7)
    assert Sure(changed["sharpness"]).probabilities(["a"]).max() > 0.93


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (people_of(29, 5), {"sharpness": 1.0}),
        (people_of(40, 11, "never taught"), {"sharpness": 1.0}),
        (people_of(40, 10), {}),
        ([], {"sharpness": 1.0}),
    ],
)
def test_too_few_rows_of_people_and_models_without_a_temperature_change_nothing(people, said):
    assert calibrated(Sure(1.0), said, "route", people, 7) == ({}, {"calibrated_by_student": 7})


def test_without_rows_of_people_there_is_no_accuracy():
    figures = judged(Says({}), "route", Judges([], {}, []))
    assert figures == {"judged": 0, "missing": 384}

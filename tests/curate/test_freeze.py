"""Frozen versions: who is in, in which order, and when there is a new one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.nouns import Dataset, Row
from openflywheel.curate._freeze import TRUST, freeze

rows_of_any_kind = st.builds(
    lambda text, label, by, role, at: row(text, label, by, role=role, at=at),
    st.sampled_from(["a", "A ", "b", "b  c", "B\nc"]),
    st.sampled_from(["x", "y", ""]),
    st.sampled_from([*TRUST, "model"]),
    st.sampled_from(["train", "validation", "holdout"]),
    st.sampled_from([1.0, 2.0]),
)


def row(text, label="x", by="seed", task="route", role="train", at=1.0):
    return Row(text=text, source="t", labels={task: label}, labelled_by=by, role=role, at=at)


def frozen(*rows, before=(), recipe="r", kinds=None):
    """(task, role) -> the rows of the new version."""
    known = {r.id: r for r in rows}
    return {(d.task, d.role): [known[id] for id in d.rows] for d in freeze(rows, before, recipe, kinds or {})}


def test_a_task_has_a_set_to_teach_with_and_one_to_judge_by():
    one, two, other = row("a"), row("b", role="holdout"), row("c", task="price")
    assert frozen(one, two, other) == {
        ("route", "train"): [one],
        ("route", "holdout"): [two],
        ("price", "train"): [other],
    }


def test_a_validation_set_is_frozen_where_rows_are_in_one():
    one, two, other = row("a"), row("b", role="validation"), row("c", role="holdout")
    assert frozen(one, two, other) == {
        ("route", "train"): [one],
        ("route", "validation"): [two],
        ("route", "holdout"): [other],
    }
    assert [d.name for d in freeze([one, two, other], [], "r", {})] == [
        "route-holdout",
        "route-validation",
        "route-train",
    ]


@pytest.mark.parametrize(
    ("roles", "stays"),
    [
        (("validation", "train"), "train"),
        (("holdout", "validation"), "validation"),
        (("holdout", "validation", "train"), "train"),
        (("preference", "holdout"), "holdout"),
    ],
)
def test_a_text_is_in_one_set_alone(roles, stays):
    rows = [row("a", by="" if role == stays else "expert", role=role) for role in roles]
    assert list(frozen(*rows)) == list(frozen(*reversed(rows))) == [("route", stays)]


def test_a_row_of_two_tasks_is_in_both():
    both = Row(text="a", source="t", labels={"route": "x", "price": "y"})
    assert frozen(both) == {("price", "train"): [both], ("route", "train"): [both]}


def test_what_has_no_label_is_in_none():
    assert frozen(Row(text="a", source="t")) == {}


@pytest.mark.parametrize("order", [1, -1])
def test_a_text_that_teaches_is_no_question_any_more(order):
    sealed, same = row("Hello  there", by="", label="", role="holdout"), row("hello there", by="expert", at=9)
    other = row("b", role="holdout")
    found = frozen(*[sealed, same][::order], other)
    assert found["route", "holdout"] == [other]
    assert found["route", "train"] == [same]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("less", "more"), [("", "seed"), ("seed", "user"), ("user", "expert"), ("model", "user")]
)
def test_of_two_labels_the_more_trusted_stays_although_it_is_older(order, less, more):
    older, newer = row("a", "x", more, at=1), row("A", "y", less, at=2)
    assert frozen(*[older, newer][::order]) == {("route", "train"): [older]}


def test_of_equally_trusted_labels_the_newest_stays():
    old, new = row("a", "x", at=1), row("a", "y", at=2)
    assert frozen(old, new) == frozen(new, old) == {("route", "train"): [new]}


def test_rows_stand_in_the_order_of_arrival():
    rows = [row(text) for text in "zxaym"]
    assert frozen(*rows)["route", "train"] == rows
    better = row("x", "y", by="expert")
    assert frozen(*rows, better)["route", "train"] == [rows[0], better, *rows[2:]]


def sold(text, quantity, price, **more):
    return Row(text=text, source="t", labels={"price": quantity}, meta={"price": price}, **more)


def test_choices_contradict_nothing():
    chosen = [row("lamp", item, by, at=at) for at, (item, by) in enumerate([("a", "user"), ("b", "expert")])]
    again = row("Lamp", "a", "user", at=9)
    assert frozen(*chosen, again, kinds={"route": "rank"}) == {("route", "train"): [*chosen, again]}
    assert frozen(*chosen, again, kinds={"route": "label"}) == {("route", "train"): [chosen[1]]}


def test_of_a_choice_that_teaches_the_text_is_no_question_any_more():
    taught, asked, other = row("lamp"), row("LAMP", role="holdout"), row("desk", role="holdout")
    found = frozen(asked, taught, other, kinds={"route": "rank"})
    assert found == {("route", "holdout"): [other], ("route", "train"): [taught]}


def test_sales_contradict_nothing_and_corrected_numbers_do():
    sales = [sold("mug", "9", "5.0"), sold("mug", "4", "8.0")]
    guessed = [row("box", str(n), task="price", at=n) for n in (1.0, 2.0)]
    found = frozen(*sales, *guessed, kinds={"price": "number"})
    assert found == {("price", "train"): [*sales, guessed[1]]}


def test_items_are_a_set_of_every_rank_task_and_of_no_other():
    items = [Row(text="a lamp", source="t", meta={"item": id}) for id in "ab"]
    rows = [row("light", "a", task="find"), row("x", task="route")]
    found = frozen(*items, *rows, kinds={"find": "rank", "route": "label"})
    assert found == {
        ("find", "train"): [rows[0]],
        ("find", "items"): items,
        ("route", "train"): [rows[1]],
    }


def test_a_version_is_made_once_and_another_when_rows_or_recipe_change():
    rows = [row("a"), row("b")]
    (first,) = freeze(rows, [], "r", {})
    assert isinstance(first, Dataset)
    assert (first.name, first.recipe) == ("route-train", "r")
    assert list(freeze(rows, [first], "r", {})) == []
    (longer,) = freeze([*rows, row("c")], [first], "r", {})
    (recooked,) = freeze(rows, [first], "r2", {})
    assert len({first.id, longer.id, recooked.id}) == 3


@given(st.lists(rows_of_any_kind, max_size=12))
def test_a_text_stands_once_on_one_side_and_none_is_lost(rows):
    sets = frozen(*rows)
    texts = [" ".join(r.text.casefold().split()) for chosen in sets.values() for r in chosen]
    assert sorted(texts) == sorted({" ".join(r.text.casefold().split()) for r in rows})
    assert all(r.role == role for (_, role), chosen in sets.items() for r in chosen)

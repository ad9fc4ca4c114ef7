"""What changed between two versions of a dataset."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Row
from openflywheel.curate._diff import COLUMNS, Change, changes


def row(text, parents=(), **fields):
    return Row(**{"text": text, "source": "s", "parents": parents} | fields)


def table(*rows):
    return pa.Table.from_batches([to_batch(rows, Row)]).select(list(COLUMNS))


def found(before, after):
    return changes(table(*before), table(*after))


NO_CHANGE = {"text": 0, "labels": 0, "role": 0, "weight": 0}


def test_rows_come_and_leave():
    seen = found([row("old"), row("same")], [row("same"), row("new"), row("newer")])
    assert (seen.came, seen.left, seen.changed) == (2, 1, NO_CHANGE)
    assert (sorted(seen.came_texts), seen.left_texts) == (["new", "newer"], ["old"])


@pytest.mark.parametrize(
    ("field", "old", "new", "told"),
    [
        ("labels", {"route": "x"}, {"route": "y", "a": "b"}, ("route: x", "a: b; route: y")),
        ("role", "train", "holdout", ("train", "holdout")),
        ("weight", 1.0, 0.5, (1.0, 0.5)),
        ("text", "one text", "another text", ("one text", "another text")),
    ],
)
def test_a_record_that_changed_is_told_with_what_it_was(field, old, new, told):
    before, after = (row(**{"text": "t", "parents": ("r",), field: value}) for value in (old, new))
    seen = found([before], [after])
    assert (seen.came, seen.left) == (0, 0)
    assert seen.changed == NO_CHANGE | {field: 1}
    assert seen.samples == [Change(text=before.text, fields={field: told})]


def test_a_text_that_another_record_says_is_the_same_row():
    seen = found(
        [row("Hello  there", ("r",), labels={"a": "x"})], [row("hello there", ("q",), labels={"a": "y"})]
    )
    assert (seen.came, seen.left) == (0, 0)
    assert seen.changed == NO_CHANGE | {"labels": 1, "text": 1}


def test_parts_of_one_record_are_rows_of_their_own():
    before = [row(f"part {n}", ("r",), meta={"part": str(n)}) for n in range(3)]
    after = [row(f"PART {n}!", ("r",), meta={"part": str(n)}) for n in (0, 2)]
    seen = found(before, after)
    assert (seen.came, seen.left, seen.changed["text"]) == (0, 1, 2)
    assert seen.left_texts == ["part 1"]


def test_rows_that_say_the_same_are_paired_one_by_one():
    seen = found([row("a", source="1"), row("a", source="2"), row("a", source="3")], [row("A", source="4")])
    assert (seen.came, seen.left, seen.changed["text"]) == (0, 2, 1)


def test_the_same_under_another_recipe_has_not_changed():
    seen = found([row("a", ("r",), recipe="1")], [row("a", ("r",), recipe="2")])
    assert (seen.came, seen.left, seen.changed, seen.samples) == (0, 0, NO_CHANGE, [])


def test_of_many_rows_some_are_told():
    seen = found([], [row(f"text {n}") for n in range(50)])
    assert (seen.came, len(seen.came_texts)) == (50, 5)


rows = st.lists(
    st.builds(
        lambda text, parent, label: row(text, parent, labels={"route": label}),
        st.sampled_from(["a", "A", "b", "c d"]),
        st.sampled_from([(), ("p",), ("q",), ("p", "q")]),
        st.sampled_from(["x", "y"]),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(rows, rows)
def test_every_row_comes_leaves_or_is_paired_and_backwards_it_is_the_reverse(before, after):
    seen, back = found(before, after), found(after, before)
    assert len(before) - seen.left == len(after) - seen.came
    assert (seen.came, seen.left, seen.changed) == (back.left, back.came, back.changed)


@settings(deadline=None)
@given(rows)
def test_what_is_equal_has_no_difference(some):
    seen = found(some, some)
    assert (seen.came, seen.left) == (0, 0)

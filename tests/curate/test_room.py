"""Record -> Dataset: what a passage makes of new records, beside what was there."""

import pyarrow as pa
import pytest

from openflywheel import curate
from openflywheel.base.nouns import Dataset, Drop, Record, Row
from openflywheel.curate.dedupe import dedupe
from openflywheel.curate.length import length


class Store:
    """What earlier passages left."""

    def __init__(self, *nouns):
        self.nouns = list(nouns)

    def all(self, kind):
        return [n for n in self.nouns if isinstance(n, kind)]


def record(text, label="x", purposes=("training",), **fields):
    return Record(text=text, source="t", labels={"route": label}, purposes=purposes, **fields)


def run(*took, store=None, steps=(), recipe="r"):
    """What the room gives: rows, datasets and the reasons of drops."""
    out = list(curate.run(took, store or Store(), list(steps), recipe=recipe))
    return (
        [n for n in out if isinstance(n, Row)],
        [n for n in out if isinstance(n, Dataset)],
        [n.reason for n in out if isinstance(n, Drop)],
    )


def test_records_become_rows_with_all_they_say_and_where_they_came_from():
    given = record("hello", subject="key", uri="u", license="CC0", labelled_by="user", parents=("e",), at=5.0)
    ((row,), (dataset,), drops) = run(given)
    for name in ("text", "source", "uri", "subject", "purposes", "license", "labels", "labelled_by", "at"):
        assert getattr(row, name) == getattr(given, name)
    assert row.parents == (given.id,)
    assert row.id != given.id
    assert (dataset.rows, dataset.recipe, drops) == ((row.id,), "r", [])


@pytest.mark.parametrize(
    ("purposes", "role"),
    [(("training",), "train"), (("evaluation",), "holdout"), (("evaluation", "training"), "train")],
)
def test_what_may_only_judge_is_held_out(purposes, role):
    ((row,), (dataset,), _) = run(record("hello", purposes=purposes))
    assert (row.role, dataset.role) == (role, role)


@pytest.mark.parametrize("purposes", [(), ("marketing",)])
def test_what_may_neither_teach_nor_judge_is_dropped(purposes):
    assert run(record("hello", purposes=purposes)) == (
        [],
        [],
        ["no purpose: neither training nor evaluation"],
    )


def test_steps_work_in_their_order_and_each_drop_has_its_reason():
    took = [record(text, at=1.0) for text in ("Ab", "ab", "a", "abcdef")]
    rows, _, drops = run(*took, steps=[lambda t: length(t, least=2, most=4), dedupe])
    assert [r.text for r in rows] == ["Ab"]
    assert sorted(drops) == ["duplicate", "too long", "too short"]


def test_what_a_step_rewrites_is_what_is_kept():
    def shout(table):
        return table.set_column(table.schema.get_field_index("text"), "text", pa.array(["HELLO"]))

    ((row,), _, _) = run(record("hello"), steps=[shout])
    assert row.text == "HELLO"


def test_without_anything_new_there_is_no_new_version():
    assert run(recipe="another") == ([], [], [])


def test_a_record_that_is_curated_already_changes_nothing():
    rows, datasets, _ = run(record("hello"))
    assert run(record("hello"), store=Store(*rows, *datasets)) == ([], [], [])


def test_new_rows_join_those_that_were_there():
    rows, datasets, _ = run(record("hello"), record("there"))
    fresh, (longer,), _ = run(record("you"), store=Store(*rows, *datasets))
    assert [r.text for r in fresh] == ["you"]
    assert longer.rows == (*(r.id for r in rows), fresh[0].id)


def test_only_the_set_that_changed_is_frozen_anew():
    rows, datasets, _ = run(record("hello"), record("sealed", purposes=("evaluation",)))
    assert {d.role for d in datasets} == {"train", "holdout"}
    _, (fresh,), _ = run(record("new"), store=Store(*rows, *datasets))
    assert fresh.role == "train"

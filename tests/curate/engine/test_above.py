"""Marks of earlier stages, and what changed."""

import numpy as np
import pyarrow as pa

from openflywheel.curate._engine.above import Above, changes, laid, nothing


def drops(*values: str | None) -> pa.Table:
    return pa.table({"drop": pa.array(values, pa.string())})


def test_marks_come_with_the_id_that_a_row_had():
    above = Above(np.array([30, 10, 20], np.uint64), drops("a", None, "c"))
    assert above.of(np.array([20, 10, 30, 20, 99], np.uint64))["drop"].to_pylist() == [
        "c",
        None,
        "a",
        "c",
        None,
    ]


def test_a_row_is_dropped_for_its_first_reason_and_other_marks_are_replaced():
    old = drops("first", None).append_column("role", pa.array(["train", "train"]))
    new = drops("second", "second").append_column("role", pa.array(["holdout", None]))
    assert laid(old, new).to_pylist() == [
        {"drop": "first", "role": "holdout"}, {"drop": "second", "role": "train"},
    ]  # fmt: skip


def test_what_changed():
    names = pa.table({"id": ["a", "b", "c", "d", "e"]})
    old = drops(None, "x", "x", None).append_column("weight", pa.array([1.0, None, 2.0, None]))
    new = drops(None, None, "y", None, "new").append_column("weight", pa.array([0.5, None, 2.0, None, 1.0]))
    assert changes(names, old, new).to_pylist() == [
        {"id": "a", "drop": None, "weight": 0.5, "ended": False},
        {"id": "b", "drop": None, "weight": None, "ended": True},
        {"id": "c", "drop": "y", "weight": 2.0, "ended": True},
    ]


def test_marks_that_came_or_went_altogether_are_changes():
    names = pa.table({"id": ["a", "b"]})
    role = drops(None, None).append_column("role", pa.array(["train", None]))
    assert changes(names, drops(None, None), role)["id"].to_pylist() == ["a"]
    assert changes(names, role, drops(None, None))["id"].to_pylist() == ["a"]
    assert changes(names, role, role).num_rows == 0


def test_where_nothing_was_before_nothing_changed():
    assert changes(pa.table({"id": ["a"]}), nothing(0), drops("x")).num_rows == 0
    assert nothing(2)["drop"].to_pylist() == [None, None]

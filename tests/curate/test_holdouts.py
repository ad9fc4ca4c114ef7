from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._holdouts import given_away, name_of, report, teaching

BOTH = ("training", "evaluation")


def batch(purposes: Sequence[tuple[str, ...]], drops: Sequence[str | None] | None = None) -> pa.Table:
    records = [Record(text=str(i), source="test", purposes=p) for i, p in enumerate(purposes)]
    column = pa.array(drops or [None] * len(records), pa.string())
    return pa.Table.from_batches([to_batch(records, Record)]).append_column("drop", column)


def test_what_goes_on_and_may_teach() -> None:
    table = batch([BOTH, ("evaluation",), (), ("training",), BOTH], [None, None, None, "before", None])
    assert teaching(table).tolist() == [0, 4]
    roles = pa.array(["holdout", None, None, None, "train"])
    assert teaching(table.append_column("role", roles)).tolist() == [4]
    assert teaching(batch([])).tolist() == []


def test_given_away_rows_are_dropped_and_name_the_text_once() -> None:
    table = given_away(batch([BOTH] * 3), np.array([0, 2]), ["one", "two"], "first")
    table = given_away(table, np.array([1, 2]), ["three", "three"], "second")
    assert table["drop"].to_pylist() == ["first", "second", "first"]
    assert table["meta.decontaminate"].to_pylist() == ["one", "three", "two"]


def test_the_report_has_the_most_first_and_then_goes_by_name() -> None:
    names = ["b", "a", "c", "c"]
    tables = [given_away(batch([BOTH] * 4), np.arange(4), names, "why"), batch([BOTH])]
    assert list(report(tables).items()) == [("c", 2), ("a", 1), ("b", 1)]
    assert report([]) == {}


def test_a_name_gives_nothing_away() -> None:
    assert name_of("a secret question") == name_of("a secret question") != name_of("another")
    assert "secret" not in name_of("a secret question")

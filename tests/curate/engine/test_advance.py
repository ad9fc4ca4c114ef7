"""One shard in one stage: what its folder holds, and how it is read again."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from engine_samples import opened, table_of

from openflywheel.curate._engine import files
from openflywheel.curate._engine.advance import NOWHERE, Advance, advance, done
from openflywheel.curate._engine.curated import Curated
from openflywheel.curate._engine.segment import placed
from openflywheel.curate._engine.shard import Held
from openflywheel.curate._engine.step import Plan, Step, StepFailed
from openflywheel.curate._engine.working import worked
from openflywheel.curate._whole import Whole

TEXTS = ["Ccc a", "x", "dd bb", "", "e e e"]


def job(folder: Path, names: tuple[str, ...], table: pa.Table, known: tuple = ()) -> Advance:
    return Advance(4, Plan(str(folder), partial(opened, *names)), 0, Held(table), folder / "4", known)


def test_a_shard_leaves_its_rows_their_places_and_sketches(tmp_path):
    table = table_of(TEXTS)
    number, left = advance(job(tmp_path, ("lower", "short", "same", "alike"), table))
    assert (number, left.rows, left.sketched) == (4, 5, 3)
    assert [(s.step, s.took, s.dropped) for s in left.stats] == [
        ("lower", 5, {}), ("short", 5, {"short: too few characters": 2}), ("same", 0, {}), ("alike", 0, {}),
    ]  # fmt: skip
    assert files.load(tmp_path / "4" / "places.npy").tolist() == [0, NOWHERE, 1, NOWHERE, 2]
    [held] = placed([(tmp_path / "4", 3)])
    assert held.light(1, ("words",))["id"].to_pylist() == table["id"].take([0, 2, 4]).to_pylist()
    assert held.run("keys-1").shape == (2, 7)
    assert done(tmp_path / "4") == left
    assert done(tmp_path / "5") is None


def test_known_rows_have_their_old_places(tmp_path):
    table = table_of(TEXTS)
    advance(job(tmp_path / "old", ("short", "same"), table.slice(2)))
    known = tuple(placed([(tmp_path / "old" / "4", 2)]))
    _, left = advance(job(tmp_path, ("short", "same"), table, known))
    assert left.sketched == 1
    assert files.load(tmp_path / "4" / "places.npy").tolist() == [2, NOWHERE, 0, NOWHERE, 1]
    shard = Curated("x", 5, tmp_path / "4", None, since=2, base=40)
    assert shard.positions().tolist() == [40, NOWHERE, 0, NOWHERE, 1]


def test_an_empty_shard(tmp_path):
    _, left = advance(job(tmp_path, ("lower", "same"), table_of([])))
    assert (left.rows, left.sketched) == (0, 0)
    shard = Curated("x", 0, tmp_path / "4")
    assert list(shard.read()) == []
    assert shard.positions().tolist() == []


def test_marks_are_laid_over_a_shard_s_rows(tmp_path):
    table = table_of(TEXTS)
    advance(job(tmp_path, ("short", "same"), table))
    marks = pa.table({
        "row": np.array([0, 11, 12]), "drop": ["other shard", "a copy", None], "meta.group": ["-", None, "g"],
    })  # fmt: skip
    files.write(tmp_path / "marks", marks.to_batches(), marks.schema, None)
    [out] = Curated("x", 5, tmp_path / "4", tmp_path / "marks", since=0, base=10).read()
    few = "short: too few characters"
    assert out["drop"].to_pylist() == [None, few, "a copy", few, None]
    assert out["meta.group"].to_pylist() == [None, None, None, None, "g"]
    assert out["text"].to_pylist() == TEXTS


def test_without_any_mark_the_columns_are_there_all_the_same(tmp_path):
    advance(job(tmp_path, ("same",), table_of(TEXTS)))
    marks = pa.table(
        {
            "row": pa.array([], pa.int64()),
            "drop": pa.array([], pa.string()),
            "role": pa.array([], pa.string()),
        }
    )
    files.write(tmp_path / "marks", marks.to_batches(), marks.schema, None)
    [out] = Curated("x", 5, tmp_path / "4", tmp_path / "marks").read()
    assert out["role"].null_count == 5


def one_short(batch: pa.Table) -> pa.Table:
    return pa.table({"id": batch["id"].slice(1), "keys": pa.nulls(batch.num_rows - 1, pa.list_(pa.uint64()))})


def test_a_sketch_for_each_row_is_asked_for(tmp_path):
    whole = Step("bad", Whole(sketch=one_short, settle=lambda sketches, pairs: sketches))
    bad = Advance(0, Plan("bad", lambda: [whole]), 0, Held(table_of(TEXTS)), tmp_path / "0")
    with pytest.raises(StepFailed, match="bad gave 4 sketches for 5 rows of shard "):
        advance(bad)
    assert list(tmp_path.iterdir()) == []


def test_rows_in_another_order_are_refused():
    table = table_of(TEXTS).append_column("drop", pa.nulls(5, pa.string()))
    table = table.append_column("origin", pa.array(range(5), pa.uint64()))
    with pytest.raises(
        StepFailed, match="turned gave 5 rows for 5 on shard s, and some are lost or in another"
    ):
        worked(Step("turned", lambda batch: batch.take([1, 0, 2, 3, 4])), table, "s")

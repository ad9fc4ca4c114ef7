"""The engine gives what the steps give in memory, whatever the shards, their order and the engine."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from engine_samples import (
    MANY,
    RECIPES,
    Reading,
    going,
    hash_of,
    in_memory,
    in_pieces,
    marks,
    marks_of,
    run,
    shards_of,
    table_of,
    written,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.errors import WheelBusy
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.stats import Progress
from openflywheel.curate._engine.step import StepFailed

recipes = st.sampled_from(RECIPES)
shard_sizes = st.integers(15, 60)
tables = st.builds(written, st.integers(0, 2**20), st.integers(1, 150), st.integers(1, 6))


@settings(max_examples=30, deadline=None)
@given(tables, shard_sizes, recipes)
def test_engine_gives_what_the_steps_give_in_memory(table, size, names):
    with TemporaryDirectory() as folder:
        found = marks_of(run(shards_of(table, size), names, Path(folder)))
        assert found == marks([in_memory(table, names)])


@settings(max_examples=30, deadline=None)
@given(tables, shard_sizes, recipes, st.randoms(use_true_random=False))
def test_order_of_shards_changes_nothing(table, size, names, chance):
    shards = shards_of(table, size)
    with TemporaryDirectory() as folder:
        one = marks_of(run(shards, names, Path(folder)))
        chance.shuffle(shards)
        assert marks_of(run(shards, names, Path(folder))) == one


@settings(max_examples=30, deadline=None)
@given(tables, shard_sizes, recipes, st.integers(1, 6))
def test_pieces_after_one_another_give_what_one_run_gives(table, size, names, pieces):
    bounds = np.linspace(0, table.num_rows, pieces + 1).astype(int)
    with TemporaryDirectory() as folder:
        whole = marks_of(run(shards_of(table, size), names, Path(folder)))
        found = in_pieces(table, bounds.tolist(), size, names, Path(folder))
        assert going(found) == going(whole)


def test_a_row_that_gives_way_is_taken_out_of_keys_that_no_new_row_has(tmp_path):
    """Its neighbours under a key of very many rows become each other's."""
    old = table_of([f"aa bb cc dd {n:02d}" for n in range(60)])
    buckets = [hash_of(text) % 120 for text in old["text"].to_pylist()]
    rival = next(
        table
        for n in range(100, 100_000)
        if hash_of(f"zzz {n:07d}") % 120 in buckets
        and (table := table_of([f"zzz {n:07d}"], n))["id"][0].as_py() < min(old["id"].to_pylist())
    )
    table, names = pa.concat_tables([old, rival]), ("rival", "crowd")
    assert len(rival["text"][0].as_py()) % 2 != len(old["text"][0].as_py()) % 2
    whole = going(marks_of(run(shards_of(table, 100), names, tmp_path)))
    assert 32 < len(whole) < 60
    assert going(in_pieces(table, [0, 60, 61], 100, names, tmp_path)) == whole


@pytest.fixture
def table() -> pa.Table:
    return written(7, 90, 5)


def test_processes_change_nothing(table, tmp_path):
    shards = shards_of(table, 20)
    expected = marks_of(run(shards, MANY, tmp_path))
    for processes in (1, 2):
        with Local(processes) as engine:
            assert marks_of(run(shards, MANY, tmp_path, engine=engine)) == expected


def test_rows_come_in_the_order_of_the_input_and_none_is_lost(table, tmp_path):
    with run(shards_of(table, 20), MANY, tmp_path) as result:
        found = pa.concat_tables(result.tables())
        assert found["id"].to_pylist() == table["id"].to_pylist()
        assert result.rows == table.num_rows
        assert "origin" not in found.column_names
        assert [shard.rows for shard in result.shards] == [20, 20, 20, 20, 10]


def test_figures_of_every_step(table, tmp_path):
    told: list[Progress] = []
    with run(shards_of(table, 20), MANY, tmp_path, progress=told.append) as result:
        drops = [drop for t in result.tables() for drop in t["drop"].to_pylist()]
    stats = {s.step: s for s in result.stats}
    assert list(stats) == list(MANY)
    assert stats["lower"].took == stats["short"].took == 90
    assert stats["short"].dropped == {"short: too few characters": drops.count("short: too few characters")}
    assert stats["same"].took == 90 - drops.count("short: too few characters")
    assert stats["alike"].took == stats["same"].took - drops.count("same: a copy")
    assert stats["alike"].dropped == {"alike: like another": drops.count("alike: like another")}
    assert all(s.seconds > 0 and s.cpu_seconds > 0 for s in result.stats)
    assert told[-1].steps == result.stats
    assert told[0].total == 90
    assert [p.done for p in told[:5]] == [20, 40, 60, 80, 90]


def test_made_rows_are_counted(table, tmp_path):
    with run(shards_of(table, 20), ("halves",), tmp_path) as result:
        assert result.stats[0].made == 90
        assert result.rows == 180


def test_a_step_that_raises_is_named_with_its_shard_and_its_cause(table, tmp_path):
    shards = shards_of(table, 90)
    with pytest.raises(
        StepFailed, match=f"^raising failed on shard {shards[0].name}: ZeroDivisionError: no such"
    ):
        run(shards, ("lower", "raising"), tmp_path)


def test_a_step_that_raises_in_a_process_is_named_too(table, tmp_path):
    with (
        Local(1) as engine,
        pytest.raises(StepFailed, match="raising failed on shard .*ZeroDivisionError") as caught,
    ):
        run(shards_of(table, 90), ("raising",), tmp_path, engine=engine)
    assert 'raise ZeroDivisionError("no such number")' in caught.value.__notes__[0]


def test_a_shard_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(StepFailed, match="reading failed on shard broken: OSError: the disk is gone"):
        run([Reading()], ("lower",), tmp_path)


def test_a_step_must_not_lose_rows(table, tmp_path):
    with pytest.raises(StepFailed, match="losing gave 89 rows for 90 .* marks rows in the column 'drop'"):
        run(shards_of(table, 90), ("losing",), tmp_path)


def test_a_step_must_not_lose_columns(table, tmp_path):
    with pytest.raises(StepFailed, match="narrow lost the column 'origin'"):
        run(shards_of(table, 90), ("narrow",), tmp_path)


def test_no_rows_are_no_error(tmp_path):
    assert marks_of(run([], MANY, tmp_path)) == {}
    assert marks_of(run(shards_of(table_of(["x"]), 1), MANY, tmp_path)) == {
        table_of(["x"])["id"][0].as_py(): {"text": "x", "drop": "short: too few characters"}
    }


def test_one_run_at_a_time_in_a_work_folder_and_on_a_state(table, tmp_path):
    state = tmp_path / "state"
    with (
        run(shards_of(table, 90), ("same",), tmp_path, state),
        pytest.raises(WheelBusy, match=r"another run uses the state .*state; wait for it"),
    ):
        run(shards_of(table, 30), ("same",), tmp_path, state)
    with (
        run(shards_of(table, 90), ("same",), tmp_path),
        pytest.raises(WheelBusy, match="the same curation runs already"),
    ):
        run(shards_of(table, 90), ("same",), tmp_path)


def test_work_is_not_taken_over_from_another_recipe_or_input(table, tmp_path):
    def failing(names: tuple[str, ...], found: pa.Table) -> str:
        with pytest.raises(RuntimeError), run(shards_of(found, 90), names, tmp_path) as result:
            raise RuntimeError("the writer's disk is full")
        return result.run

    same = failing(("same",), table)
    assert len({same, failing(("alike",), table), failing(("same",), table.slice(1))}) == 3
    assert failing(("same",), table) == same

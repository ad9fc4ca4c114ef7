"""What a state remembers, and what it forgets."""

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from engine_samples import MANY, going, hash_of, marks, marks_of, run, shards_of, table_of, written
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.errors import WheelBusy
from openflywheel.curate._engine.forget import forget
from openflywheel.curate._engine.merge import MOST, groups
from openflywheel.curate._engine.state import StateRefused, opened
from openflywheel.curate._mixing import mixed

TEXTS = ["ccc a", "ccc a", "dd bb", "e e e e", "bb dd"]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def rows_of(state: Path, stage: int = 0) -> int:
    with opened(state, None) as held:
        return sum(rows for _, rows in held.stage(stage).segments)


def test_new_rows_meet_old_ones_and_old_ones_give_way(tmp_path):
    first, second = (table_of(["ccc a"], n) for n in (0, 1))
    low, high = sorted((first, second), key=lambda t: t["id"][0].as_py())
    state = tmp_path / "state"
    assert marks_of(run(shards_of(high, 9), ("same",), tmp_path, state)) == {
        high["id"][0].as_py(): {"text": "ccc a"}
    }
    with run(shards_of(low, 9), ("same",), tmp_path, state) as result:
        name = low["id"][0].as_py()
        assert marks(result.tables()) == {name: {"text": "ccc a", "meta.group": name}}
        assert result.changed.to_pylist() == [
            {"id": high["id"][0].as_py(), "drop": "same: a copy", "meta.group": name}
        ]


def test_rows_that_are_known_are_not_sketched_again_and_come_out_as_before(tmp_path):
    table, state = written(3, 80, 5), tmp_path / "state"
    first = marks_of(run(shards_of(table, 30), MANY, tmp_path, state))
    before = rows_of(state)
    with run(shards_of(table, 80), MANY, tmp_path, state) as result:
        assert marks(result.tables()) == first
        assert result.changed.num_rows == 0
    assert rows_of(state) == before


def test_what_failed_leaves_the_state_as_it_was(tmp_path):
    table, state = written(3, 80, 5), tmp_path / "state"
    marks_of(run(shards_of(table.slice(0, 40), 30), MANY, tmp_path, state))
    before = files_of(state)
    with pytest.raises(RuntimeError), run(shards_of(table.slice(40), 30), MANY, tmp_path, state):
        raise RuntimeError("nobody wrote it")
    assert files_of(state) == before


def test_what_a_killed_commit_left_is_removed(tmp_path):
    state = tmp_path / "state"
    marks_of(run(shards_of(table_of(TEXTS), 30), MANY, tmp_path, state))
    before = set(files_of(state))
    (state / "links-0").write_bytes(b"")
    (state / ".part-1-segment-0").mkdir()
    with opened(state, None):
        assert set(files_of(state)) == before
        assert not (state / ".part-1-segment-0").exists()


def test_another_recipe_is_refused(tmp_path):
    state = tmp_path / "state"
    marks_of(run(shards_of(table_of(TEXTS), 30), ("same",), tmp_path, state))
    with pytest.raises(
        StateRefused, match=r"made by the recipe same, this one is alike: .* Give another folder"
    ):
        run(shards_of(table_of(TEXTS), 30), ("alike",), tmp_path, state)


def test_a_state_keeps_few_segments(tmp_path):
    table, state = written(1, 120, 5), tmp_path / "state"
    for start in range(0, 120, 8):
        marks_of(run(shards_of(table.slice(start, 8), 8), ("alike",), tmp_path, state))
    with opened(state, None) as held:
        sizes = [rows for _, rows in held.stage(0).segments]
    assert sum(sizes) == 120
    assert len(sizes) <= 5
    assert len(list(state.glob("segment-*"))) == len(sizes)


@given(st.lists(st.integers(1, MOST), min_size=1, max_size=60))
def test_groups_of_segments_are_adjacent_and_shrink_by_half(sizes):
    found = groups(sizes)
    assert [n for start, end in found for n in range(start, end)] == list(range(len(sizes)))
    merged = [sum(sizes[start:end]) for start, end in found]
    assert max(merged) <= MOST
    assert all(a >= 2 * b or a + b > MOST for a, b in itertools.pairwise(merged))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**20), st.integers(2, 150), st.integers(1, 6), st.floats(0, 1),
    st.sampled_from([("same",), ("paired",), ("crowd",), ("alike",), ("same", "halves", "paired", "alike")]),
)  # fmt: skip
def test_to_forget_rows_is_never_to_have_seen_them(tmp_path_factory, seed, rows, words, share, names):
    """After the next run, all others are as if the forgotten ones had not been there."""
    work, table = tmp_path_factory.mktemp("work"), written(seed, rows, words)
    gone = np.random.default_rng(seed).random(rows) < share
    state, half = work / "state", rows * 9 // 10
    marks_of(run(shards_of(table.slice(0, half), 40), names, work, state))
    lost = table.slice(0, half).filter(pa.array(gone[:half]))["id"].to_pylist()
    assert (forget(state, lost) > 0) == bool(lost)
    known = half if seed % 2 else rows  # without new rows, or with some
    again = shards_of(table.slice(0, known).filter(pa.array(~gone[:known])), 40)
    assert going(marks_of(run(again, names, work, state))) == going(marks_of(run(again, names, work)))


def test_a_run_without_shards_settles_the_old_rows_again(tmp_path):
    table, state = table_of(TEXTS), tmp_path / "state"
    marks_of(run(shards_of(table, 2), MANY, tmp_path, state))
    with run([], MANY, tmp_path, state) as result:
        assert list(result.tables()) == []
        assert result.changed.num_rows == 0
    ids = sorted(table["id"].to_pylist()[:2])
    forget(state, [ids[0]])
    with run([], MANY, tmp_path, state) as result:
        assert ids[1] in result.changed["id"].to_pylist()
    assert rows_of(state) == 4


def test_a_copy_of_what_is_forgotten_comes_back(tmp_path):
    table, state = table_of(["ccc a", "ccc a", "dd"]), tmp_path / "state"
    ids = table["id"].to_pylist()
    kept, copy = sorted(ids[:2])
    marks_of(run(shards_of(table, 30), ("same",), tmp_path, state))
    assert forget(state, [kept]) == 1
    with run(shards_of(table_of(["x"], 9), 30), ("same",), tmp_path, state) as result:
        assert result.changed.to_pylist() == [{"id": copy, "drop": None, "meta.group": None}]


def test_what_is_forgotten_is_in_no_file(tmp_path):
    table, state = table_of(["ccc a", "ccc a", "secret words", "dd"]), tmp_path / "state"
    name = table["id"][2].as_py()
    marks_of(run(shards_of(table, 2), ("same", "alike", "halves", "alike"), tmp_path, state))
    held = b"".join(files_of(state).values())
    assert name.encode() in held
    assert b"secret words" in held
    assert forget(state, [name, "unknown"]) > 1
    held = b"".join(files_of(state).values())
    assert name.encode() not in held
    assert b"secret" not in held
    assert table["id"][3].as_py().encode() in held


def test_to_forget_nobody_changes_nothing(tmp_path):
    state = tmp_path / "state"
    marks_of(run(shards_of(table_of(TEXTS), 30), ("same",), tmp_path, state))
    before = files_of(state)
    assert forget(state, []) == forget(state, ["unknown"]) == 0
    assert files_of(state) == before
    assert forget(tmp_path / "empty", ["unknown"]) == 0


def test_nothing_is_forgotten_while_a_run_holds_the_state(tmp_path):
    table, state = table_of(TEXTS), tmp_path / "state"
    with run(shards_of(table, 30), ("same",), tmp_path, state), pytest.raises(WheelBusy):
        forget(state, table["id"].to_pylist())


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=50))
def test_mixed_keys_are_equal_where_the_keys_are(keys):
    found = mixed(np.array(keys, np.uint64))
    assert len(set(found.tolist())) == len(keys)


def test_mixed_keys_of_small_numbers_are_spread():
    found = mixed(np.arange(1_000, dtype=np.uint64))
    assert np.histogram(found.astype(float), bins=4, range=(0, 2.0**64))[0].min() > 200
    assert mixed(np.array([hash_of("a")], np.uint64)) == mixed(np.array([hash_of("a")], np.uint64))

"""Sketches on disk: taken at random, found by key, merged, and rid of some rows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._engine import segment
from openflywheel.curate._engine.advance import NOWHERE, found
from openflywheel.curate._engine.ids import hashed, within
from openflywheel.curate._engine.merge import AT_ONCE, Merge, merge
from openflywheel.curate._engine.segment import Sketches, extent, placed


def made(folder: Path, start: int, rows: int, batches: int = 2) -> tuple[Path, int]:
    """Rows number `start` and following; row n has the keys n and n // 2, a name and a text."""
    folder.mkdir(parents=True)
    numbers = np.arange(start, start + rows)
    names = pa.table({"id": [f"row {n}" for n in numbers]})
    sketches = [
        pa.table({
            "id": [f"row {n}" for n in part],
            "keys": pa.array([[n, n // 2] for n in part], pa.list_(pa.uint64())),
            "light": part, "heavy": [f"text {n}" for n in part],
        })
        for part in np.array_split(numbers, batches) if len(part)
    ]  # fmt: skip
    ids = hashed(names["id"])
    segment.write(folder, np.stack([ids, ids]), names, [sketches])
    return folder, rows


def three(folder: Path) -> list[segment.Segment]:
    return placed(
        [made(folder / "a", 0, 5), (folder / "none", 0), made(folder / "b", 5, 1), made(folder / "c", 6, 9)]
    )


def test_segments_stand_one_after_another(tmp_path):
    assert [(held.base, held.rows) for held in three(tmp_path)] == [(0, 5), (5, 1), (6, 9)]
    assert extent(three(tmp_path / "more")) == 15
    assert extent([]) == 0


@settings(max_examples=30, deadline=None)
@given(positions=st.lists(st.integers(0, 14), min_size=1, max_size=40))
def test_sketches_are_taken_in_any_order(tmp_path_factory, positions):
    taken = Sketches(three(tmp_path_factory.mktemp("x")), 0).take(np.array(positions))
    assert taken["heavy"].to_pylist() == [f"text {n}" for n in positions]
    assert taken["light"].to_pylist() == positions


def test_light_columns_come_without_the_heavy_ones(tmp_path):
    for held in three(tmp_path):
        table = held.light(0, ("heavy",))
        assert table.column_names == ["id", "light"]
        assert table["light"].to_pylist() == list(range(held.base, held.base + held.rows))


def test_rows_are_found_by_their_ids(tmp_path):
    ids = hashed(pa.array(["row 6", "row 99", "row 0", "row 5"]))
    assert found(ids, tuple(three(tmp_path))).tolist() == [6, NOWHERE, 0, 5]
    assert found(ids, ()).tolist() == [NOWHERE] * 4


def test_entries_are_found_by_key(tmp_path):
    _, _, held = three(tmp_path)
    wanted = np.sort(segment.mixed(np.array([3, 7, 50], np.uint64)))
    keys, rows = held.having("keys-0", wanted)
    three_, seven, _ = segment.mixed(np.array([3, 7, 50], np.uint64))
    assert sorted(rows[keys == three_].tolist()) == [6, 7]
    assert sorted(rows[keys == seven].tolist()) == [7, 14]
    assert len(keys) == 4


def test_entries_between_keys(tmp_path):
    held, *_ = three(tmp_path)
    keys, rows = held.between("keys-0", 0, None)
    assert len(keys) == len(rows) == 10
    assert (np.diff(keys.astype(float)) >= 0).all()
    middle = int(keys[4])
    low, high = held.between("keys-0", 0, middle)[0], held.between("keys-0", middle, None)[0]
    assert np.array_equal(np.concatenate([low, high]), keys)
    assert (low < middle).all()


def read(held: segment.Segment) -> dict[str, object]:
    keys, rows = held.between("keys-0", 0, None)
    return {
        "ids": held.ids().tolist(), "names": held.names()["id"].to_pylist(),
        "sketches": held.light(0, ()).to_pylist(),
        "keys": sorted(zip(keys.tolist(), rows.tolist(), strict=True)),
        "find": held.run("find")[0].tolist(),
    }  # fmt: skip


def test_merged_segments_are_as_if_they_had_been_one(tmp_path):
    merge(Merge(tuple(three(tmp_path)), 1, tmp_path / "all"))
    one = made(tmp_path / "one", 0, 15)
    assert read(placed([(tmp_path / "all", 15)])[0]) == read(placed([one])[0])


def test_a_merge_can_leave_rows_out(tmp_path):
    keep = np.arange(15) % 3 != 0
    merge(Merge(tuple(three(tmp_path)), 1, tmp_path / "some", keep))
    held = placed([(tmp_path / "some", int(keep.sum()))])[0]
    left = np.flatnonzero(keep)
    assert held.names()["id"].to_pylist() == [f"row {n}" for n in left]
    assert held.light(0, ())["light"].to_pylist() == left.tolist()
    ids = hashed(pa.array([f"row {n}" for n in left]))
    assert found(ids, (held,)).tolist() == list(range(len(left)))
    _keys, rows = held.having("keys-0", segment.mixed(np.array([7], np.uint64)))
    assert sorted(left[rows].tolist()) == [7, 14]


def test_small_batches_become_larger_ones(tmp_path):
    folder, rows = made(tmp_path / "many", 0, AT_ONCE + 500, batches=100)
    merge(Merge(tuple(placed([(folder, rows), made(tmp_path / "few", rows, 10)])), 1, tmp_path / "all"))
    reader = segment.files.opened(tmp_path / "all" / "sketch-0.arrow")
    assert reader.num_record_batches <= 2


def test_a_segment_without_whole_steps_has_ids_alone(tmp_path):
    (tmp_path / "x").mkdir()
    names = pa.table({"id": ["a", "b"]})
    segment.write(tmp_path / "x", np.zeros((2, 2), np.uint64), names, [])
    assert sorted(p.name for p in (tmp_path / "x").iterdir()) == ["find.npy", "ids.npy", "names.arrow"]


@given(st.lists(st.text(max_size=5)))
def test_equal_ids_have_equal_hashes_and_others_have_others(names):
    assert len(set(hashed(pa.array(names, pa.string())).tolist())) == len(set(names))


@pytest.mark.parametrize(
    ("chosen", "expected"), [([], [False] * 3), ([2], [False, True, False]), ([1, 9], [True, False, True])]
)
def test_which_values_are_among_others(chosen, expected):
    assert within(np.array([1, 2, 9], np.uint64), np.array(chosen, np.uint64)).tolist() == expected

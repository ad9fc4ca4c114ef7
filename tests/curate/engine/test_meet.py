"""Keys meet as `candidates` says, in pieces, from old and new segments."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._engine import files, segment
from openflywheel.curate._engine.meet import (
    AT_ONCE,
    Meet,
    first_of,
    linked,
    meet,
    ordered,
    ranges,
    sliced,
)  # fmt: skip
from openflywheel.curate._whole import WIDEST, candidates

entries = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 150)), max_size=250)


def sketched(folder: Path, keys: list[list[int]]) -> tuple[Path, int]:
    """A segment of rows with these keys."""
    folder.mkdir()
    names = pa.table({"id": [f"{folder.name}-{n}" for n in range(len(keys))]})
    ids = np.arange(2 * len(keys), dtype=np.uint64).reshape(2, -1)
    sketch = pa.table({"id": names["id"], "keys": pa.array(keys, pa.list_(pa.uint64()))})
    segment.write(folder, ids, names, [[sketch]])
    return folder, len(keys)


def met(
    folder: Path, segments: list[segment.Segment], since: int = 0, out: list[int] = [],  # noqa: B006
    touched: list[int] = [], stirred: np.ndarray | None = None, low: int = 0, high: int | None = None,  # noqa: B006
) -> tuple[set[tuple[int, int]], np.ndarray]:  # fmt: skip
    """The pairs of rows that meet, and the void keys."""
    rows = segment.extent(segments)
    masks = np.zeros((2, rows), bool)
    masks[0, out], masks[1, touched], masks[1, since:] = True, True, True
    for name, array in (
        ("out", masks[0]),
        ("touched", masks[1]),
        ("order", np.arange(rows, dtype=np.uint64)),
    ):
        np.save(folder / f"{name}.npy", array)
    if stirred is not None:
        np.save(folder / "stirred.npy", stirred)
    target = folder / f"met-{len(list(folder.iterdir()))}"
    meet(
        Meet(
            "keys-0", low, high, tuple(segments), since, folder / "out.npy", folder / "touched.npy",
            folder / "order.npy", None if stirred is None else folder / "stirred.npy", target,
        )
    )  # fmt: skip
    links = files.load(target / "links.npy")
    return set(zip(*links[:2].astype(int).tolist(), strict=True)), files.load(target / "void.npy")


@settings(max_examples=60, deadline=None)
@given(entries)
def test_links_are_the_candidates_with_their_keys(found):
    found.sort()
    keys = np.array([key for key, _ in found], np.uint64)
    rows = np.array([row for _, row in found], np.int64)
    links = linked(keys, rows, np.arange(151, dtype=np.uint64))
    pairs = np.unique(links[:2].astype(np.int64).T, axis=0)
    assert pairs.tolist() == candidates(rows, keys).tolist()
    assert all((int(k), int(a)) in found and (int(k), int(b)) in found for a, b, k in links.T)


def test_rows_of_a_wide_key_stand_in_the_order_of_their_ids_not_of_their_coming():
    rows = np.arange(WIDEST + 3)
    order = np.random.default_rng(0).permutation(WIDEST + 3).astype(np.uint64)
    links = linked(np.zeros(len(rows), np.uint64), rows, order)
    first = int(np.argmin(order))
    assert all(
        (min(first, r), max(first, r)) in set(zip(*links[:2].astype(int).tolist(), strict=True))
        for r in rows
        if r != first
    )
    assert links.shape[1] == 2 * (len(rows) - 1) - 1  # to the first and to the next, which is once the same


def test_no_keys_no_links():
    assert linked(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint64)).shape == (3, 0)
    assert first_of(np.empty((3, 0), np.uint64)).tolist() == []


def test_links_are_ordered_by_rows_then_keys_and_each_stands_once():
    links = np.array([[5, 1, 1, 5], [6, 9, 2, 6], [0, 3, 4, 0]], np.uint64)
    assert ordered(links).tolist() == [[1, 1, 5], [2, 9, 6], [4, 3, 0]]


@pytest.mark.parametrize("keys", [0, 1, AT_ONCE, AT_ONCE + 1, 5 * AT_ONCE])
def test_ranges_cover_all_keys_once(keys):
    found = ranges(keys)
    assert found[0][0] == 0
    assert found[-1][1] is None
    assert [high for _, high in found[:-1]] == [low for low, _ in found[1:]]
    assert len(found) == max(1, -(-keys // AT_ONCE))


def test_ranges_of_keys_together_give_what_one_gives(tmp_path):
    chance = np.random.default_rng(1)
    rows = [chance.integers(0, 40, 3).tolist() for _ in range(60)]
    segments = segment.placed([sketched(tmp_path / "a", rows[:25]), sketched(tmp_path / "b", rows[25:])])
    whole, _ = met(tmp_path, segments)
    half = 1 << 63
    low, high = met(tmp_path, segments, high=half)[0], met(tmp_path, segments, low=half)[0]
    assert low
    assert high
    assert low | high == whole
    assert whole == {
        (a, b) for b in range(60) for a in range(b) if set(rows[a]) & set(rows[b])
    }  # fmt: skip


def test_only_new_rows_and_their_old_partners_meet(tmp_path):
    old, new = sketched(tmp_path / "old", [[1], [1], [2], [3]]), sketched(tmp_path / "new", [[2], [4]])
    pairs, void = met(tmp_path, segment.placed([old, new]), since=4)
    assert pairs == {(2, 4)}
    assert len(void) == 0


def test_rows_that_are_out_meet_nobody(tmp_path):
    old, new = sketched(tmp_path / "old", [[1], [1], [2]]), sketched(tmp_path / "new", [[2], [1], [1]])
    assert met(tmp_path, segment.placed([old, new]), since=3, out=[2, 4])[0] == {(0, 5), (1, 5)}


def test_an_old_row_that_came_back_meets_the_old_ones(tmp_path):
    old, new = sketched(tmp_path / "old", [[1], [1], [1], [5], [5]]), sketched(tmp_path / "new", [[9]])
    assert met(tmp_path, segment.placed([old, new]), since=5, touched=[1])[0] == {(0, 1), (1, 2)}


def test_links_of_wide_and_of_stirred_keys_are_made_anew(tmp_path):
    old = sketched(tmp_path / "old", [[1]] * WIDEST + [[2], [2], [3], [3]])
    new = sketched(tmp_path / "new", [[1]])
    stirred = np.sort(segment.mixed(np.array([2], np.uint64)))
    pairs, void = met(tmp_path, segment.placed([old, new]), since=WIDEST + 4, stirred=stirred)
    wide = {(0, n) for n in (*range(1, WIDEST), WIDEST + 4)} | {(n, n + 1) for n in range(WIDEST - 1)}
    assert pairs == wide | {(WIDEST - 1, WIDEST + 4), (WIDEST, WIDEST + 1)}
    assert set(void.tolist()) == set(segment.mixed(np.array([1, 2], np.uint64)).tolist())


def test_links_are_cut_by_their_lower_row(tmp_path):
    for name, links in (("a", [[1, 3], [2, 4], [7, 7]]), ("b", [[2], [9], [8]])):
        files.save(tmp_path / name / "links.npy", np.array(links, np.uint64))
    parts = [tmp_path / "a", tmp_path / "b"]
    assert sliced(parts, 1, 3).tolist() == [[1, 2], [2, 9], [7, 8]]
    assert sliced(parts, 4, 9).shape == (3, 0)

"""All links of a whole step: whatever came in which run, they are those of one run over everything."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from engine_samples import opened
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._engine import files, segment
from openflywheel.curate._engine.engine import Inline
from openflywheel.curate._engine.ground import Ground
from openflywheel.curate._engine.linking import Before, linked
from openflywheel.curate._engine.step import Plan

Keys = list[list[int]]
Pair = tuple[int, int]
ROWS = st.lists(st.lists(st.integers(0, 5), max_size=3, unique=True), min_size=1, max_size=9)


def sketched(folder: Path, keys: Keys, first: int) -> tuple[Path, int]:
    """A segment of rows with these keys."""
    folder.mkdir(parents=True)
    names = pa.table({"id": [f"row {first + n}" for n in range(len(keys))]})
    ids = np.arange(2 * first, 2 * (first + len(keys)), dtype=np.uint64).reshape(2, -1)
    sketch = pa.table({"id": names["id"], "keys": pa.array(keys, pa.list_(pa.uint64()))})
    segment.write(folder, ids, names, [[sketch]])
    return folder, len(keys)


class Course:
    """Runs after one another over more and more rows."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.held, self.rows, self.runs, self.before = folder, [], 0, 0, Before()

    def run(self, keys: Keys, out: set[int] = frozenset()) -> list[Pair]:  # type: ignore[assignment]
        """Pairs once these rows have come, each once a key; `out`: positions of rows that take no part."""
        since, self.runs = self.rows, self.runs + 1
        self.held.append(sketched(self.folder / f"segment-{self.runs}", keys, since))
        self.rows += len(keys)
        place = self.folder / f"run-{self.runs}"
        place.mkdir()
        np.save(place / "order.npy", np.arange(self.rows, dtype=np.uint64))
        plan = Plan(str(place), partial(opened, "same"))
        ground = Ground(plan, 0, Inline(), place, tuple(segment.placed(self.held)), since, remembers=True)
        mask = np.isin(np.arange(self.rows), sorted(out))
        links, seconds = linked(ground, 0, mask, self.before)
        plan.close()
        assert seconds >= 0
        assert files.load(place / "links-0.npy").tolist() == links.tolist()
        assert files.load(place / "out-0.npy").tolist() == mask.tolist()
        self.before = Before(links=place / "links-0.npy", out=place / "out-0.npy")
        assert len({*zip(*links.tolist(), strict=True)}) == links.shape[1]
        return list(zip(*links[:2].astype(int).tolist(), strict=True))


def plain(keys: Keys, out: set[int]) -> list[Pair]:
    """Every pair that has a key in common, once for each such key."""
    return [
        (low, high)
        for low in range(len(keys))
        for high in range(low + 1, len(keys))
        for _ in set(keys[low]) & set(keys[high])
        if not {low, high} & out
    ]


@settings(max_examples=15)
@given(ROWS, st.sets(st.integers(0, 8)))
def test_one_run_links_all_that_have_a_key_in_common(keys, out):
    with TemporaryDirectory() as folder:
        assert Course(Path(folder)).run(keys, out) == plain(keys, out)


@settings(max_examples=15)
@given(st.lists(st.tuples(ROWS, st.sets(st.integers(0, 20))), min_size=2, max_size=3))
def test_runs_after_one_another_link_what_one_run_would(course):
    """Rows may leave and come back between the runs."""
    with TemporaryDirectory() as folder:
        runs, keys = Course(Path(folder)), []
        for fresh, out in course:
            keys += fresh
            assert runs.run(fresh, out) == plain(keys, out)


def test_links_are_sorted_and_each_stands_once(tmp_path):
    course = Course(tmp_path)
    assert course.run([[1, 2], [2, 1], [1]]) == [(0, 1), (0, 1), (0, 2), (1, 2)]
    links = files.load(course.before.links).T.tolist()
    assert links == sorted(links)


@pytest.mark.parametrize("out", [{0}, {1}, {0, 1}])
def test_a_row_that_leaves_takes_its_links_along_and_brings_them_back(out, tmp_path):
    course = Course(tmp_path)
    assert course.run([[7], [7]]) == [(0, 1)]
    assert course.run([[8]], out) == []
    assert course.run([[8]]) == [(0, 1), (2, 3)]


def test_no_keys_give_no_links(tmp_path):
    course = Course(tmp_path)
    assert course.run([[], []]) == []
    assert files.load(course.before.links).shape == (3, 0)
    assert course.run([[1]]) == []

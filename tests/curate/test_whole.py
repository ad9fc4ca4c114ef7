"""Steps over all rows: who meets whom, who belongs together, and what the rows are marked with."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate import _whole
from openflywheel.curate._whole import WIDEST, Whole, candidates, checked, exploded, settled

Pair = tuple[int, int]

entries = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 6)), max_size=70)
wide = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 2)), max_size=220)


def found(rows: Sequence[int], keys: Sequence[int]) -> set[Pair]:
    pairs = candidates(np.array(rows, np.int64), np.array(keys, np.uint64))
    assert pairs.shape == (len(pairs), 2)
    assert len({tuple(p) for p in pairs.tolist()}) == len(pairs)
    return {(a, b) for a, b in pairs.tolist()}


def expected(rows: Sequence[int], keys: Sequence[int]) -> set[Pair]:
    """By the definition, pair by pair."""
    members: dict[int, list[int]] = defaultdict(list)
    for row, key in zip(rows, keys, strict=True):
        members[key].append(row)
    pairs: set[Pair] = set()
    for some in map(sorted, members.values()):
        crowded = len(some) > WIDEST
        steps = [(some[n], some[n + 1]) for n in range(len(some) - 1)]
        every = [*steps, *((some[0], other) for other in some[1:])] if crowded else combinations(some, 2)
        pairs.update((a, b) for a, b in every if a != b)
    return pairs


@given(entries)
def test_rows_with_a_key_in_common_meet_once(given_entries: list[Pair]) -> None:
    given_entries = list(dict.fromkeys(given_entries))
    rows, keys = [r for r, _ in given_entries], [k for _, k in given_entries]
    assert found(rows, keys) == expected(rows, keys)


@settings(max_examples=60, deadline=None)
@given(wide)
def test_crowds_meet_the_first_and_the_next_only(given_entries: list[Pair]) -> None:
    given_entries = list(dict.fromkeys(given_entries))
    rows, keys = [r for r, _ in given_entries], [k for _, k in given_entries]
    assert found(rows, keys) == expected(rows, keys)


@given(wide, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(given_entries: list[Pair], chance: np.random.RandomState) -> None:
    given_entries = list(dict.fromkeys(given_entries))
    mixed = list(given_entries)
    chance.shuffle(mixed)
    assert found(*_split(given_entries)) == found(*_split(mixed))


def _split(given_entries: list[Pair]) -> tuple[list[int], list[int]]:
    return [r for r, _ in given_entries], [k for _, k in given_entries]


@pytest.mark.parametrize("rows", [WIDEST - 1, WIDEST, WIDEST + 1, 10 * WIDEST])
def test_a_key_that_everybody_has_costs_no_square(rows: int) -> None:
    pairs = found(list(range(rows)), [7] * rows)
    square = rows * (rows - 1) // 2
    assert len(pairs) == (square if rows <= WIDEST else 2 * rows - 3)
    assert {b for a, b in pairs if a == 0} == set(range(1, rows))
    assert {(n, n + 1) for n in range(rows - 1)} <= pairs


def test_large_keys_are_keys_too() -> None:
    top = 2**64 - 1
    assert found([3, 1, 2], [top, top, top - 1]) == {(1, 3)}


def test_nobody_meets_nobody() -> None:
    assert found([], []) == set()
    assert found([4], [1]) == set()
    assert found([4, 4], [1, 1]) == set()  # a row that has one key twice is one row


def lists(*keys: list[int] | None) -> pa.Table:
    return pa.table({"keys": pa.array(keys, pa.list_(pa.uint64()))})


def test_each_row_stands_once_for_each_of_its_keys() -> None:
    rows, keys = exploded(lists([5, 2**63], [], [5], None))
    assert rows.tolist() == [0, 0, 2]
    assert keys.tolist() == [5, 2**63, 5]
    assert (rows.dtype, keys.dtype) == (np.int64, np.uint64)


def test_rows_of_no_key_have_no_place() -> None:
    rows, keys = exploded(lists([], None))
    assert (rows.tolist(), keys.tolist()) == ([], [])
    assert [len(part) for part in exploded(lists())] == [0, 0]


def test_rows_count_on_over_pieces_of_a_table() -> None:
    table = pa.concat_tables([lists([1]), lists([2], [3, 4])])
    assert exploded(table)[0].tolist() == [0, 1, 2, 2]


def sketch(table: pa.Table) -> pa.Table:
    sizes = [[len(text) % 3] for text in table["text"].to_pylist()]
    keys = pa.array(sizes, pa.list_(pa.uint64()))
    return pa.table({"id": table["id"], "keys": keys, "words": table["text"]})


def same(left: pa.Table, right: pa.Table) -> np.ndarray:
    return np.array(
        [a == b for a, b in zip(left["words"].to_pylist(), right["words"].to_pylist(), strict=True)]
    )


def settle(sketches: pa.Table, pairs: np.ndarray) -> pa.Table:
    """Of equal ones the first stays; everybody is told with how many he belongs."""
    count = np.bincount(pairs.ravel(), minlength=sketches.num_rows)
    gone = np.isin(np.arange(len(count)), pairs[:, 1])
    reason = pa.array(np.where(gone, "again", "")).cast(pa.string())
    return pa.table({
        "row": np.arange(len(count)),
        "drop": pa.array([r or None for r in reason.to_pylist()], pa.string()),
        "meta.with": pa.array([str(n) for n in count.tolist()]),
    })  # fmt: skip


def rows_of(texts: Sequence[str], drops: Sequence[str | None] | None = None) -> pa.Table:
    return pa.table({
        "id": pa.array([f"r{n}" for n in range(len(texts))], pa.string()),
        "text": pa.array(texts, pa.string()),
        "drop": pa.array(drops or [None] * len(texts), pa.string()),
    })  # fmt: skip


WHOLE = Whole(sketch=sketch, check=same, settle=settle, heavy=("words",))


@given(st.lists(st.sampled_from(["a", "b", "aa", "bbb", "abcd"]), max_size=20))
def test_only_candidates_that_pass_belong_together(texts: list[str]) -> None:
    sketches = sketch(rows_of(texts))
    pairs = checked(WHOLE, sketches, candidates(*exploded(sketches)))
    alike = {(a, b) for a, b in combinations(range(len(texts)), 2) if texts[a] == texts[b]}
    assert {(a, b) for a, b in pairs.tolist()} == alike


def test_without_a_check_a_key_is_enough() -> None:
    sketches = sketch(rows_of(["a", "b", "cc"]))
    pairs = candidates(*exploded(sketches))
    plain = Whole(sketch=sketch, settle=settle)
    assert checked(plain, sketches, pairs) is pairs
    assert pairs.tolist() == [[0, 1]]


def test_candidates_are_checked_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def odd(left: pa.Table, right: pa.Table) -> np.ndarray:
        seen.append((left.num_rows, right.num_rows))
        return np.array([int(name[1:]) % 2 == 1 for name in right["id"].to_pylist()])

    monkeypatch.setattr(_whole, "AT_ONCE", 10)
    sketches = sketch(rows_of(["x"] * 8))
    pairs = candidates(*exploded(sketches))
    assert len(pairs) == 28
    found = checked(Whole(sketch=sketch, check=odd, settle=settle), sketches, pairs)
    assert found.tolist() == [pair for pair in pairs.tolist() if pair[1] % 2]
    assert [left for left, _ in seen] == [right for _, right in seen] == [10, 9, 9]


def test_no_candidates_need_no_check() -> None:
    def never(left: pa.Table, right: pa.Table) -> np.ndarray:
        raise AssertionError("there is nothing to compare")

    sketches = sketch(rows_of(["a", "bb"]))
    none = np.empty((0, 2), np.int64)
    assert checked(Whole(sketch=sketch, check=never, settle=settle), sketches, none).shape == (0, 2)


def test_rows_that_were_dropped_take_no_part() -> None:
    table = settled(WHOLE, rows_of(["a", "a", "b", "a"], ["before", None, None, None]))
    assert table["drop"].to_pylist() == ["before", None, None, "again"]
    assert table["meta.with"].to_pylist() == [None, "1", "0", "1"]


def test_heavy_columns_are_kept_from_the_decision() -> None:
    seen: list[list[str]] = []

    def look(sketches: pa.Table, pairs: np.ndarray) -> pa.Table:
        seen.append(sketches.column_names)
        return settle(sketches, pairs)

    settled(Whole(sketch=sketch, check=same, settle=look, heavy=("words",)), rows_of(["a", "a"]))
    assert seen == [["id", "keys"]]


def test_of_no_rows_there_is_nothing_to_decide() -> None:
    assert settled(WHOLE, rows_of([])).num_rows == 0
    gone = settled(WHOLE, rows_of(["a"], ["before"]))
    assert gone["drop"].to_pylist() == ["before"]


@given(st.lists(st.sampled_from(["a", "b", "aa"]), min_size=1, max_size=12))
def test_every_row_is_there_afterwards(texts: list[str]) -> None:
    table = settled(WHOLE, rows_of(texts))
    assert table["text"].to_pylist() == texts
    going = [text for text, drop in zip(texts, table["drop"].to_pylist(), strict=True) if drop is None]
    assert sorted(going) == sorted(set(texts))

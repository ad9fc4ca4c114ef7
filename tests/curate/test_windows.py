from itertools import pairwise
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._windows import BEFORE, windows


class Some(NamedTuple):
    lines: tuple[str, ...] = ("x",)
    texts: tuple[str, ...] = ("W",)


def found(texts: list[str], hints: Some | None = Some()) -> list[tuple[int, str]]:  # noqa: B008
    made = windows(pa.array(texts, pa.string()), hints)
    return [
        (row, texts[row].encode()[start:end].decode())
        for row, start, end in zip(made.rows.tolist(), made.starts.tolist(), made.ends.tolist(), strict=True)
    ]


def test_without_hints_every_text_is_one_window() -> None:
    assert found(["abc", "", "é\n" * 500], None) == [(0, "abc"), (1, ""), (2, "é\n" * 500)]


def test_a_text_with_no_hint_has_none() -> None:
    assert found(["abc\n" * 500, "", "abc"]) == []
    assert found([]) == []


def test_a_short_text_is_one_window() -> None:
    assert found(["abc", "axc", "x"]) == [(1, "axc"), (2, "x")]


def test_a_window_has_its_lines_to_the_end_and_some_characters_before() -> None:
    before, line = "é" * 300 + "\n", "漢" * 40 + "x" + "y" * 300 + "\n"
    ((row, window),) = found([before + line + "abc\n" * 500])
    assert row == 0
    assert window.startswith("é" * (BEFORE - 1) + "\n" + "漢")
    assert line in window
    assert len(window) < BEFORE + len(line) + 200


def test_windows_that_meet_are_one_and_others_stay_apart() -> None:
    far = "abc\n" * 500
    assert len(found([f"{far}x\n{far}x\n"])) == 2
    assert len(found([f"{far}x\nabc\nx\n{far}"])) == 1
    assert len(found([far + ("x" + "a" * 200 + "\n") * 3 + far])) == 1


def test_windows_of_two_texts_never_meet() -> None:
    assert found(["x\n", "x\n"]) == [(0, "x\n"), (1, "x\n")]


def test_a_hint_for_whole_texts_gives_all_of_it_in_the_order_of_rows() -> None:
    far = "abc\n" * 500
    assert [row for row, _ in found(["x", f"{far}W{far}x", "x"])] == [0, 1, 2]
    assert found([f"{far}W{far}x"]) == [(0, f"{far}W{far}x")]


@pytest.mark.parametrize(("first", "rows"), [(1, 2), (2, 1)])
def test_a_slice_of_a_column_has_its_own_rows(first: int, rows: int) -> None:
    column = pa.array(["x", "abx", "b"], pa.string()).slice(first, rows)
    made = windows(column, Some())
    assert (made.rows.tolist(), made.ends.tolist()) == (([0], [3]) if first == 1 else ([], []))


piece = st.sampled_from(["x", "W", "\n", "é", "漢", "😀", "ab" * 70, "abc\n" * 60, "é" * 90, "漢\n" * 90])


@settings(deadline=None)
@given(st.lists(st.lists(piece, max_size=10).map("".join), max_size=5))
def test_every_hint_is_in_a_window_with_what_stands_before_its_line(texts: list[str]) -> None:
    made = windows(pa.array(texts, pa.string()), Some())
    parts = list(zip(made.rows.tolist(), made.starts.tolist(), made.ends.tolist(), strict=True))
    assert parts == sorted(parts)
    assert all(start < end for _, start, end in parts)
    for (row, _, end), (after, start, _) in pairwise(parts):
        assert row < after or end < start
    for row, text in enumerate(texts):
        own = [(s, e) for r, s, e in parts if r == row]
        assert all(text.encode()[s:e].decode() for s, e in own)  # whole characters
        if "W" in text:
            assert own == [(0, len(text.encode()))]
        for place in (i for i, c in enumerate(text) if c == "x"):
            line = text.rfind("\n", 0, place) + 1
            last = text.find("\n", place) + 1 or len(text)
            first = len(text[: max(line - BEFORE, 0)].encode())
            assert any(s <= first and len(text[:last].encode()) <= e for s, e in own)

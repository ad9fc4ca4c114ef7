import pickle
import random
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.door import load
from openflywheel.base.errors import SettingsError, UnknownSetting
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._batches import with_column
from openflywheel.curate._whole import WIDEST, checked, settled
from openflywheel.curate.near_duplicates import near_duplicates

REASON = "near_duplicates: near the newest"
PAGE = [f"word{n}" for n in range(300)]


def table_of(some: list[Record]) -> pa.Table:
    return pa.Table.from_batches([to_batch(some, Record)]).append_column(
        "drop", pa.nulls(len(some), pa.string())
    )


def page(*other: int, at: float = 1.0, cut: int = 300, **labels: str) -> Record:
    """A page of which some words are others: each costs 5 of 304 runs."""
    words = [f"new{n}" if n in other else word for n, word in enumerate(PAGE[:cut])]
    return Record(text=" ".join(words), source="test", at=at, labels=labels)


def marks(some: list[Record], **settings: object) -> list[tuple[str | None, str | None]]:
    table = settled(near_duplicates(**settings), table_of(some))  # type: ignore[arg-type]
    return list(zip(table["drop"].to_pylist(), table["meta.duplicate_of"].to_pylist(), strict=True))


def test_the_newest_stays_and_is_named() -> None:
    some = [page(at=1), page(5, at=2), Record(text="something else", source="test")]
    assert marks(some) == [(REASON, some[1].id), (None, None), (None, None)]


@pytest.mark.parametrize(
    ("keep", "reason"),
    [
        ("oldest", "near_duplicates: near the oldest"),
        ("most_credible", "near_duplicates: near the most credible"),
    ],
)
def test_the_reason_names_the_rule(keep: str, reason: str) -> None:
    some = [page(at=1), Record(text=page(5).text, source="test", at=2, meta={"credibility": "0"})]
    assert sorted(str(drop) for drop, _ in marks(some, keep=keep)) == ["None", reason]


def test_case_and_punctuation_make_no_difference() -> None:
    some = [page(at=2), Record(text=", ".join(PAGE).upper() + "!", source="test", at=1)]
    assert [drop for drop, _ in marks(some)] == [None, REASON]


def test_rows_with_other_labels_are_no_duplicates() -> None:
    some = [page(route="x"), page(5, route="y"), page(6), page(7, at=0, route="x")]
    assert [drop for drop, _ in marks(some)] == [None, None, None, REASON]


def test_a_row_goes_only_for_one_that_it_is_itself_near() -> None:
    """J = .88 from the first to the second, .85 to the third, and .74 from the first to the third."""
    fours, nines = (range(100, 180, 20), range(100, 280, 20))
    assert [drop for drop, _ in marks([page(at=3), page(*fours, at=2), page(*nines)])] == [None, REASON, None]


def test_pages_below_the_threshold_stay() -> None:
    far = page(*range(10, 300, 30))
    assert [drop for drop, _ in marks([page(), far])] == [None, None]
    assert sorted(str(drop) for drop, _ in marks([page(), far], similarity=0.6)) == ["None", REASON]


def test_of_more_near_pages_than_are_compared_with_each_other_one_stays() -> None:
    some = [page(n, at=(7 * n) % 100) for n in range(3 * WIDEST)]
    newest = max(some, key=lambda r: r.at)
    assert [drop is None for drop, _ in marks(some)] == [r is newest for r in some]
    assert {stays for _, stays in marks(some)} == {None, newest.id}


def test_texts_without_words_stay() -> None:
    assert marks([Record(text="", source="a"), Record(text="...", source="b")]) == [(None, None)] * 2


def test_rows_dropped_before_take_no_part() -> None:
    table = with_column(table_of([page(at=1), page(5, at=2)]), "drop", pa.array([None, "too long"]))
    assert settled(near_duplicates(), table)["drop"].to_pylist() == [None, "too long"]


# Few words and short texts, so that many are near each other; ids are those of the texts.
small = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=9).map(" ".join),
    unique=True,
    min_size=2,
    max_size=9,
).map(lambda texts: [Record(text=text, source="test", at=float(len(text) % 4)) for text in texts])


def jaccard(a: str, b: str) -> float:
    left, right = (set(pairwise(["", *text.split(), ""])) for text in (a, b))
    return len(left & right) / len(left | right)


@given(small)
@settings(max_examples=50, deadline=None)
def test_of_small_sets_the_rows_that_stay_are_those_of_the_definition(some: list[Record]) -> None:
    step, table = near_duplicates(similarity=0.5, shingle=2), table_of(some)
    sketches = step.sketch(table)
    every = np.array(list(combinations(range(len(some)), 2)), np.int64)
    found = step.settle(sketches.drop_columns(list(step.heavy)), checked(step, sketches, every))
    stay: list[Record] = []
    for one in sorted(some, key=lambda r: (-r.at, r.id)):
        if all(jaccard(one.text, other.text) < 0.5 for other in stay):
            stay.append(one)
    gone = {some[row].id for row in found["row"].to_pylist()}
    assert {r.id for r in some} - gone == {r.id for r in stay}
    assert set(found["meta.duplicate_of"].to_pylist()) <= {r.id for r in stay}


@given(small, st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_makes_no_difference(some: list[Record], by: random.Random) -> None:
    def decided(rows: list[Record]) -> dict[str, tuple[str | None, str | None]]:
        return dict(zip((r.id for r in rows), marks(rows, similarity=0.5, shingle=2), strict=True))

    assert decided(by.sample(some, len(some))) == decided(some)


@given(small, st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_sketches_made_in_pieces_are_those_made_at_once(some: list[Record], cut: int) -> None:
    sketch, table = near_duplicates().sketch, table_of(some)
    assert pa.concat_tables([sketch(table[:cut]), sketch(table[cut:])]) == sketch(table)


def test_it_travels_to_other_processes() -> None:
    table = table_of([page(at=1), page(5, at=2)])
    again = pickle.loads(pickle.dumps(near_duplicates()))
    assert settled(again, table) == settled(near_duplicates(), table)


@pytest.mark.parametrize("wrong", [{"similarity": 0.0}, {"similarity": 1.1}, {"shingle": 0}])
def test_a_wrong_setting_is_named(wrong: dict[str, Any]) -> None:
    name, value = next(iter(wrong.items()))
    with pytest.raises(SettingsError, match=f"near_duplicates: {name} = {value}; choices"):
        near_duplicates(**wrong)


def test_the_door_knows_its_settings() -> None:
    loaded = load("curate", "near_duplicates", {"similarity": 0.9, "keep": "oldest"})
    assert settled(loaded(), table_of([page(at=1), page(5, at=2)]))["drop"].null_count == 1
    with pytest.raises(UnknownSetting, match="keep"):
        load("curate", "near_duplicates", {"keep": "longest"})

import pickle
import random
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import settled
from openflywheel.curate.semantic_duplicates import semantic_duplicates

REASON = "semantic_duplicates: near the newest"


class Compass:
    """An encoder of angles: a text with 30 tildes points to 30 degrees."""

    name, width = "compass", 2

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        angles = np.radians(np.array([text.count("~") for text in texts], np.float64))
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def table_of(some: list[Record], drops: list[str | None] | None = None) -> pa.Table:
    column = pa.array(drops or [None] * len(some), pa.string())
    return pa.Table.from_batches([to_batch(some, Record)]).append_column("drop", column)


def drops(some: list[Record], **settings: object) -> list[str | None]:
    step = semantic_duplicates(encoder=Compass(), **settings)  # type: ignore[arg-type]
    column: list[str | None] = settled(step, table_of(some))["drop"].to_pylist()
    return column


def text(degrees: int, said: str, at: float = 1.0, **labels: str) -> Record:
    return Record(text=said + "~" * degrees, source="test", at=at, labels=labels)


def test_the_newest_of_those_that_point_the_same_way_stays() -> None:
    some = [text(10, "a", 1), text(12, "b", 3), text(11, "c", 2), text(90, "d")]
    table = settled(semantic_duplicates(encoder=Compass()), table_of(some))
    assert table["drop"].to_pylist() == [REASON, None, REASON, None]
    assert table["meta.duplicate_of"].to_pylist() == [some[1].id, None, some[1].id, None]


def test_the_threshold_is_the_cosine() -> None:
    assert drops([text(0, "a", 2), text(13, "b")]) == [None, REASON]  # cos 13 = .974
    assert drops([text(0, "a", 2), text(15, "b")]) == [None, None]  # cos 15 = .966
    assert drops([text(0, "a", 2), text(15, "b")], similarity=0.96) == [None, REASON]


def test_a_row_goes_only_for_one_that_it_is_itself_near() -> None:
    assert drops([text(0, "a", 3), text(10, "b", 2), text(20, "c", 1)]) == [None, REASON, None]


def test_texts_with_other_numbers_are_no_duplicates() -> None:
    some = [
        "of 24 May 2013",
        "by 24 May 2013",
        "of 29 May 2013",
        "in May: 2013, 24",
        "May",
        "June",
        "May 24 24 2013",
    ]
    found = drops([text(5, said, at=-n) for n, said in enumerate(some)])
    assert found == [None, REASON, None, REASON, None, REASON, None]


def test_texts_that_the_encoder_would_read_in_part_stay() -> None:
    long = "x" * 490
    assert drops([text(11, long), text(10, "short", 2), text(10, long, 1)]) == [None, None, REASON]
    assert drops([text(2, "abc"), text(2, "abd")], most=4) == [None, None]


def test_empty_texts_and_none_at_all_are_left_alone() -> None:
    assert drops([text(0, ""), Record(text="", source="other")]) == [None, None]
    assert drops([]) == []


def test_rows_with_other_labels_are_no_duplicates() -> None:
    assert drops([text(1, "a", route="x"), text(1, "b", route="y"), text(1, "c")]) == [None] * 3


def test_rows_dropped_before_take_no_part() -> None:
    table = table_of([text(1, "a", 1), text(1, "b", 2)], [None, "too long"])
    assert settled(semantic_duplicates(encoder=Compass()), table)["drop"].to_pylist() == [None, "too long"]


angles = st.lists(st.integers(0, 359), unique=True, min_size=1, max_size=10)


@given(angles, st.integers(0, 10))
@settings(max_examples=50, deadline=None)
def test_sketches_made_in_pieces_are_those_made_at_once(some: list[int], cut: int) -> None:
    sketch, table = semantic_duplicates(encoder=Compass()).sketch, table_of([text(a, "x") for a in some])
    assert pa.concat_tables([sketch(table[:cut]), sketch(table[cut:])]) == sketch(table)


@given(angles, st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_makes_no_difference(some: list[int], by: random.Random) -> None:
    rows = [text(a, "x", at=a % 3) for a in some]
    mixed = by.sample(rows, len(rows))
    decided = dict(zip((r.id for r in rows), drops(rows), strict=True))
    assert dict(zip((r.id for r in mixed), drops(mixed), strict=True)) == decided


def test_it_runs_with_the_encoder_that_needs_no_weights_and_in_other_processes() -> None:
    step = pickle.loads(pickle.dumps(semantic_duplicates(encoder=NgramEncoder())))
    some = [
        Record(text=said, source="test", at=-n)
        for n, said in enumerate(["Where is my order?", "where is my order ?", "What does it cost?"])
    ]
    assert settled(step, table_of(some))["drop"].to_pylist() == [None, REASON, None]


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(SettingsError, match="semantic_duplicates: similarity = 1.5; choices: 0 to 1"):
        semantic_duplicates(encoder=Compass(), similarity=1.5)

import random
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._batches import with_meta
from openflywheel.curate._duplicates.keeping import Keep, apart, labels, settle, standing

CAME = 1_700_000_000.0  # 2023-11-14


def table_of(some: list[Record]) -> pa.Table:
    return pa.Table.from_batches([to_batch(some, Record)])


def record(text: str, **fields: object) -> Record:
    return Record(**{"text": text, "source": "test", "at": CAME, "purposes": ("training",), **fields})  # type: ignore[arg-type]


def left(some: list[Record], keep: Keep = "newest") -> list[str]:
    """The texts that stay when all rows are alike."""
    pairs = np.array(list(combinations(range(len(some)), 2)), np.int64).reshape(-1, 2)
    marks = settle(standing(table_of(some)), pairs, keep=keep, reason="like")
    gone = set(marks["row"].to_pylist())
    return [r.text for row, r in enumerate(some) if row not in gone]


def test_the_marks_name_the_row_the_reason_and_what_stays() -> None:
    some = [record("old", at=1.0), record("new", at=2.0), record("alone")]
    marks = settle(standing(table_of(some)), np.array([[0, 1]]), keep="newest", reason="like")
    assert marks.to_pylist() == [{"row": 0, "drop": "like", "meta.duplicate_of": some[1].id}]


def test_without_pairs_there_are_no_marks() -> None:
    none = np.empty((0, 2), np.int64)
    marks = settle(standing(table_of([record("a")])), none, keep="newest", reason="like")
    assert marks.num_rows == 0
    assert marks.column_names == ["row", "drop", "meta.duplicate_of"]


def test_the_day_of_publication_counts_before_the_day_of_collection() -> None:
    some = [
        record("old page, new crawl", at=CAME + 1e6, meta={"published": "2019-05-01"}),
        record("new page, old crawl", at=CAME - 1e6, meta={"published": "2021-05-01T10:00:00Z"}),
    ]
    assert left(some) == ["new page, old crawl"]
    assert left(some, "oldest") == ["old page, new crawl"]


def test_what_is_no_date_does_not_count() -> None:
    some = [record("when?", meta={"published": "last week"}), record("later", at=CAME + 1)]
    assert left(some) == ["later"]
    assert left([record("ever", at=1.0, meta={"published": "2021-13-45"}), record("now")]) == ["now"]


def test_of_one_day_the_one_collected_last_is_the_newest() -> None:
    some = [record(text, at=at, meta={"published": "2021-05-01"}) for text, at in (("a", 1.0), ("b", 2.0))]
    assert left(some) == ["b"]
    assert left(some, "oldest") == ["a"]


def test_the_most_credible_stays_then_the_newest() -> None:
    some = [
        record("new", at=CAME + 9, meta={"credibility": "0.2"}),
        record("good", meta={"credibility": "0.9"}),
        record("good and newer", at=CAME + 1, meta={"credibility": "0.9"}),
        record("unknown", at=CAME + 99),
    ]
    assert left(some, "most_credible") == ["good and newer"]
    assert left(some) == ["unknown"]


@pytest.mark.parametrize("said", ["9", "-1", "1.5", "high", "", "nan", "inf", "1e3"])
def test_a_credibility_beyond_0_to_1_is_none(said: str) -> None:
    some = [
        record("boasts", at=CAME + 1, meta={"credibility": said}),
        record("honest", meta={"credibility": "0"}),
    ]
    assert left(some, "most_credible") == ["honest"]


def test_facts_that_steps_found_count_too() -> None:
    table = with_meta(table_of([record("a"), record("b")]), "credibility", pa.array(["0.1", "0.7"]))
    marks = settle(standing(table), np.array([[0, 1]]), keep="most_credible", reason="like")
    assert marks["row"].to_pylist() == [0]


@pytest.mark.parametrize("keep", ["newest", "oldest", "most_credible"])
@pytest.mark.parametrize(("less", "more"), [("", "seed"), ("seed", "user"), ("user", "expert")])
def test_a_more_trusted_label_counts_before_the_rule(keep: Keep, less: str, more: str) -> None:
    for early, late in ((less, more), (more, less)):
        some = [
            record("early", at=1.0, labelled_by=early, meta={"credibility": "0" if early == more else "1"}),
            record("late", at=2.0, labelled_by=late, meta={"credibility": "0" if late == more else "1"}),
        ]
        assert left(some, keep) == ["early" if early == more else "late"]


def test_what_may_teach_counts_before_all() -> None:
    held_out = record("examined", at=CAME + 9, purposes=("evaluation",), labelled_by="expert")
    assert left([held_out, record("taught", purposes=("evaluation", "training"))]) == ["taught"]


def test_equals_are_told_apart_by_their_ids() -> None:
    some = [record(text) for text in "abc"]
    first = min(some, key=lambda r: r.id)
    assert left(some) == [first.text]
    assert left(some[::-1]) == [first.text]


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=2), st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_makes_no_difference(texts: list[str], by: random.Random) -> None:
    some = [record(text, at=float(ord(text) % 3)) for text in texts]
    assert left(by.sample(some, len(some))) == left(some)


def test_labels_in_whatever_order_are_one_string() -> None:
    some = [record("a", labels={"x": "1", "y": "2"}), record("b", labels={"y": "2", "x": "1"}), record("c")]
    one, other, none = labels(table_of(some)).to_pylist()
    assert one == other == "x\x1f1\x1ey\x1f2"
    assert none == ""


def test_keys_of_rows_with_other_labels_differ() -> None:
    some = [record("a"), record("b", labels={"x": "1"}), record("c"), record("d", labels={"x": "1"})]
    keys = apart(pa.array([[5, 6], [5], [], [5]], pa.list_(pa.uint64())), table_of(some)).to_pylist()
    assert [len(k) for k in keys] == [2, 1, 0, 1]
    assert keys[1] == keys[3] != keys[0][:1]

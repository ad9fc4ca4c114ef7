"""Weights of sources, and caps so that nothing and nobody dominates."""

import pickle
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import Whole, settled
from openflywheel.curate.mix import mix


def record(text, source="crawl", subject="", **labels):
    return Record(text=str(text), source=source, subject=subject, labels=labels, at=1.0)


def mixed(records, extra=None, **settings):
    """The table after the step."""
    table = pa.Table.from_batches([to_batch(records, Record)])
    table = table.append_column("drop", pa.nulls(len(records), pa.string()))
    for name, values in (extra or {}).items():
        table = table.append_column(name, pa.array(values))
    return settled(mix(**settings), table)


def staying(records, extra=None, **settings):
    found = mixed(records, extra, **settings)
    return [r for r, drop in zip(records, found["drop"].to_pylist(), strict=True) if drop is None]


def test_a_sources_weight_stands_on_its_rows_and_others_have_none():
    rows = [record(1), record(2, "tickets"), record(3, "faq"), record(4, "old")]
    found = mixed(rows, sources={"crawl": 0.5, "tickets": 2, "old": 0})
    assert found["weight"].to_pylist() == [0.5, 2.0, None, 0.0]
    assert found["drop"].null_count == 4


def test_weights_that_are_there_are_multiplied():
    found = mixed(
        [record(1), record(2), record(3, "faq")], {"weight": [0.5, None, 0.25]}, sources={"crawl": 3}
    )
    assert found["weight"].to_pylist() == [1.5, 3.0, 0.25]


def test_without_settings_nothing_happens():
    found = mixed([record(n, subject="ann", route="x") for n in range(20)])
    assert found["drop"].null_count == found["weight"].null_count == 20


def test_nobody_has_more_rows_than_the_cap():
    rows = [record(n, subject=("ann", "bob", "")[n % 3]) for n in range(90)]
    found = mixed(rows, per_subject=10)
    stay = Counter(r.subject for r, d in zip(rows, found["drop"].to_pylist(), strict=True) if d is None)
    assert stay == {"ann": 10, "bob": 10, "": 30}
    assert Counter(found["drop"].to_pylist())["mix: too much of one person"] == 40


def test_a_share_is_one_of_all_rows():
    rows = [record(n, subject="ann" if n < 80 else f"p{n}") for n in range(100)]
    assert len(staying(rows, per_subject=0.29)) == 20 + 29
    assert len(staying(rows[:80], per_subject=0.001)) == 1


def test_sources_have_caps_of_their_own():
    rows = [record(n, ("crawl", "tickets", "faq")[n % 3]) for n in range(30)]
    stay = Counter(r.source for r in staying(rows, per_source={"crawl": 4, "tickets": 0.2}))
    assert stay == {"crawl": 4, "tickets": 6, "faq": 10}


def test_labels_are_balanced_and_rows_without_one_stay():
    rows = [record(n, route="x" if n % 4 else "y") for n in range(40)] + [record(-1), record(-2)]
    stay = Counter(r.labels.get("route") for r in staying(rows, per_label=8))
    assert stay == {"x": 8, "y": 8, None: 2}


def test_a_row_is_dropped_once_and_counts_no_more():
    """Of ann's rows, those of a source that had too many take nobody's place."""
    rows = [record(n, "crawl", "ann") for n in range(10)] + [record(n + 10, "faq", "ann") for n in range(10)]
    found = mixed(rows, per_source={"crawl": 1}, per_subject=6)
    assert Counter(found["drop"].to_pylist()) == {
        "mix: too much of one source": 9,
        "mix: too much of one person": 5,
        None: 6,
    }


def test_caps_hold_within_each_role():
    rows = [record(n, subject="ann") for n in range(20)]
    stay = staying(rows, {"role": ["train"] * 10 + ["holdout"] * 6 + [None] * 4}, per_subject=5)
    places = [rows.index(r) for r in stay]
    assert [sum(a <= p < b for p in places) for a, b in ((0, 10), (10, 16), (16, 20))] == [5, 5, 4]


def test_rows_that_were_dropped_take_nobodys_place():
    rows = [record(n, subject="ann") for n in range(10)]
    table = pa.Table.from_batches([to_batch(rows, Record)])
    table = table.append_column("drop", pa.array(["too short"] * 7 + [None] * 3))
    found = settled(mix(per_subject=3), table)
    assert found["drop"].to_pylist() == ["too short"] * 7 + [None] * 3


def test_a_row_that_comes_takes_the_place_of_at_most_one():
    rows = [record(n, subject="ann") for n in range(50)]
    before = staying(rows[:49], per_subject=10)
    after = staying(rows, per_subject=10)
    assert len({r.id for r in before} - {r.id for r in after}) <= 1


def test_another_salt_keeps_other_rows():
    rows = [record(n, subject="ann") for n in range(50)]
    assert staying(rows, per_subject=10, salt=0) != staying(rows, per_subject=10, salt=1)


@pytest.mark.parametrize(
    "wrong", [{"sources": {"a": -1}}, {"per_source": {"a": -1}}, {"per_subject": -1}, {"per_label": -0.1}]
)
def test_what_is_below_nothing_is_said(wrong):
    with pytest.raises(SettingsError, match=r"curate.mix: -\S+ is neither a weight nor a cap"):
        mix(**wrong)


def test_its_settings_are_the_users():
    given = {
        "sources": {"crawl": 0.5, "tickets": 2},
        "per_source": {"crawl": 0.3},
        "per_subject": 50,
        "salt": 3,
    }
    loaded = door.load("curate", "mix", given)
    assert isinstance(pickle.loads(pickle.dumps(loaded())), Whole)


records = st.builds(
    record,
    st.integers(0, 10**6),
    st.sampled_from(["crawl", "faq"]),
    st.sampled_from(["", "ann", "bob"]),
)


@settings(deadline=None)
@given(st.lists(records, max_size=30), st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_cap_is_met_exactly_and_in_any_order(rows, cap, shuffler):
    rows = list({r.id: r for r in rows}.values())
    stay = staying(rows, per_subject=cap) if rows else []
    had, has = Counter(r.subject for r in rows), Counter(r.subject for r in stay)
    assert has == {who: n if who == "" else min(n, cap) for who, n in had.items()}
    shuffled = shuffler.sample(rows, len(rows))
    assert {r.id for r in (staying(shuffled, per_subject=cap) if rows else [])} == {r.id for r in stay}

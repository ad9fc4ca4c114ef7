"""Roles: nothing that belongs together stands on two sides."""

import pickle
import random
from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import Whole, settled
from openflywheel.curate.split import split

BOTH = {"validation": 0.3, "held_out": 0.3}


def record(text, **fields):
    return Record(**{"text": text, "source": "t", "purposes": ("training",), "at": 1.0} | fields)


def batch(records, roles=None):
    table = pa.Table.from_batches([to_batch(records, Record)])
    table = table.append_column("drop", pa.nulls(len(records), pa.string()))
    return table if roles is None else table.append_column("role", pa.array(roles, pa.string()))


def roles(records, given=None, **shares):
    """id -> role."""
    table = settled(split(**(shares or BOTH)), batch(records, given))
    assert table["drop"].null_count == table.num_rows == len(records)
    return dict(zip(table["id"].to_pylist(), table["role"].to_pylist(), strict=True))


def many(count, **fields):
    return [record(f"text number {n} {n * n}", **fields) for n in range(count)]


def long(number, change=0):
    """A text of 200 words; with a change, one word is another: Jaccard .95."""
    words = [f"w{random.Random(number * 1_000 + place).randrange(10**6)}" for place in range(200)]
    if change:
        words[100] = f"changed{change}"
    return " ".join(words)


def test_shares_are_met_in_expectation():
    counts = Counter(roles(many(4_000), validation=0.1, held_out=0.2).values())
    # four standard deviations of a binomial
    assert abs(counts["holdout"] / 4_000 - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 4_000)
    assert abs(counts["validation"] / 4_000 - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 4_000)
    assert sum(counts.values()) == 4_000


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        ({"held_out": 1.0}, {"holdout"}),
        ({"validation": 1.0}, {"validation"}),
        ({"similarity": 0.8}, {"train"}),
    ],
)
def test_the_ends_of_the_shares(shares, found):
    assert set(roles(many(50), **shares).values()) == found


def test_one_subjects_rows_go_together_however_many():
    people = [record(f"text {n}", subject=f"p{n % 30}", uri=f"u{n}") for n in range(3_000)]
    found = roles(people)
    assert len({(r.subject, found[r.id]) for r in people}) == 30
    assert set(found.values()) == {"train", "validation", "holdout"}


@pytest.mark.parametrize(
    "pair",
    [
        ({"uri": "http://a/x#one"}, {"uri": "http://a/x#two"}),
        ({"uri": "http://a/x"}, {"uri": "http://a/x#two"}),
        ({"parents": ("e1", "s1")}, {"parents": ("e2", "s1")}),
        ({"subject": "ann"}, {"subject": "ann"}),
    ],
)
def test_what_belongs_together_goes_together(pair):
    for number in range(40):
        first, second = (
            record(f"{side} {number}", **{
                k: tuple(f"{p}-{number}" for p in v) if k == "parents" else v.replace("a", f"a{number}", 1)
                for k, v in fields.items()
            })
            for side, fields in zip(("one", "two"), pair, strict=True)
        )  # fmt: skip
        assert len(set(roles([first, second]).values())) == 1


def test_the_same_fields_that_say_nothing_join_nobody():
    found = roles([record(f"text {n}", uri="", subject="") for n in range(200)])
    assert set(found.values()) == {"train", "validation", "holdout"}


def test_a_row_goes_where_the_row_goes_that_it_was_made_of():
    for number in range(40):
        page = record(f"page {number}")
        said = record(f"question {number}", parents=(page.id,))
        assert len(set(roles([page, said]).values())) == 1


@pytest.mark.parametrize("twin", ["HELLO  wORLD {}", " hello\n\tworld {}", "hello\u00a0world {}"])
def test_one_wording_goes_together(twin):
    for number in range(40):
        one, other = record(f"Hello world {number}"), record(twin.format(number), source="other")
        assert len(set(roles([one, other]).values())) == 1


def test_texts_without_words_that_are_equal_go_together():
    for number in range(20):
        text = "👍" * (number + 1) + "!?"
        assert len(set(roles([record(text), record(text, source="other")]).values())) == 1


def test_near_duplicates_go_together_also_over_several_steps():
    texts = [record(long(number, change), source=str(change)) for number in range(30) for change in range(4)]
    found = roles(texts)
    sides = [{found[r.id] for r in texts[at : at + 4]} for at in range(0, len(texts), 4)]
    assert all(len(side) == 1 for side in sides)
    assert len(set().union(*sides)) == 3


def test_groups_with_a_row_in_common_are_one_group():
    for number in range(30):
        a = record(f"first {number}", subject=f"p{number}")
        b = record(f"same {number}", subject=f"p{number}", uri="u")
        c = record(f"SAME {number}", subject=f"q{number}", uri="v")
        d = record(f"last {number}", subject=f"q{number}", uri="v#2")
        assert len(set(roles([a, b, c, d]).values())) == 1


def test_what_may_not_train_is_held_out_with_all_its_group():
    sealed = record("question 1", subject="ann", purposes=("evaluation",))
    hers, other = record("something else", subject="ann"), record("question 2", subject="bob")
    assert roles([sealed, hers, other], similarity=0.8) == {
        sealed.id: "holdout",
        hers.id: "holdout",
        other.id: "train",
    }


def test_what_was_held_out_before_stays_so_with_all_its_group():
    rows = [record("a", subject="ann"), record("b", subject="ann"), record("c"), record("d")]
    found = roles(rows, ["holdout", "train", "train", None], similarity=0.8)
    assert list(found.values()) == ["holdout", "holdout", "train", "train"]


def test_rows_that_were_dropped_take_no_part():
    rows = [record("a", subject="ann", purposes=("evaluation",)), record("b", subject="ann")]
    table = batch(rows)
    table = table.set_column(table.schema.get_field_index("drop"), "drop", pa.array(["too short", None]))
    found = settled(split(), table)
    assert found["role"].to_pylist() == [None, "train"]
    assert found["drop"].to_pylist() == ["too short", None]


def test_another_salt_draws_another_split():
    assert roles(many(100), **BOTH, salt=0) != roles(many(100), **BOTH, salt=1)


def test_new_rows_change_no_group_that_they_do_not_join():
    old = many(300, uri="")
    before = roles(old)
    after = roles([*old, *(record(f"new {n}") for n in range(300))])
    assert {id: after[id] for id in before} == before


def test_texts_that_only_resemble_each_other_are_no_group():
    found = roles([record(f"where is my parcel number {n} please") for n in range(200)])
    assert set(found.values()) == {"train", "validation", "holdout"}


@pytest.mark.parametrize(
    "wrong",
    [{"held_out": -0.1}, {"validation": 0.6, "held_out": 0.6}, {"similarity": 0}, {"similarity": 1.1}],
)
def test_shares_that_cannot_be_are_said(wrong):
    with pytest.raises(SettingsError, match=r"curate.split: validation = .* give shares"):
        split(**wrong)


def test_its_settings_are_the_users():
    loaded = door.load("curate", "split", {"validation": 0.1, "held_out": 0.1, "similarity": 0.9, "salt": 3})
    assert isinstance(pickle.loads(pickle.dumps(loaded())), Whole)


rows_of_any_kind = st.builds(
    lambda number, change, subject, uri, parent, purpose, source: record(
        long(number, change), subject=subject, uri=uri, parents=parent, purposes=(purpose,), source=source
    ),
    st.integers(0, 12),
    st.integers(0, 2),
    st.sampled_from(["", "", "ann", "bob", "cid"]),
    st.sampled_from(["", "", "u", "u#1", "v"]),
    st.sampled_from([(), (), ("p",), ("p", "q"), ("q",)]),
    st.sampled_from(["training", "training", "training", "evaluation"]),
    st.sampled_from(["s", "t"]),
)


def belong(a, b):
    """What the docstring says, one pair at a time."""
    near = a.text.split()[:100] == b.text.split()[:100]
    same = a.subject == b.subject != "" or (a.uri.split("#")[0] == b.uri.split("#")[0] != "")
    return near or same or bool({*a.parents, a.id} & {*b.parents, b.id})


@settings(max_examples=80, deadline=None)
@given(st.lists(rows_of_any_kind, max_size=14), st.randoms(use_true_random=False))
def test_there_is_no_leak_and_no_order(rows, shuffler):
    rows = list({r.id: r for r in rows}.values())
    found = roles(rows) if rows else {}
    assert all(found[a.id] == found[b.id] for a, b in combinations(rows, 2) if belong(a, b))
    assert all(found[r.id] == "holdout" for r in rows if r.purposes == ("evaluation",))
    mixed = shuffler.sample(rows, len(rows))
    assert (roles(mixed) if rows else {}) == found

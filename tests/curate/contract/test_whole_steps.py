"""The contract of every step over all rows: neither their order nor how they are cut into batches counts."""

import pickle
import random
import re

import contract_cases as cases
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from contract_cases import EARLIER, Case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openflywheel.curate._batches import kept
from openflywheel.curate._whole import Whole, candidates, checked, exploded, settled

STEPS = cases.cases()[1]
each = pytest.mark.parametrize("case", STEPS, ids=str)
few = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))

MARKS = {"row", "drop", "role", "weight"}
LIGHT = 200  # bytes a row that stay in memory
VECTOR = {"label_errors": 1_024}  # bytes of a labelled row's vector: one a dimension of the encoder


def by_id(table: pa.Table) -> dict[str, cases.Row]:
    return {row["id"]: {k: v for k, v in row.items() if v is not None} for row in table.to_pylist()}


def going(table: pa.Table) -> pa.Table:
    return table.filter(kept(table))


@each
@few
@given(table=cases.tables(most=16), seed=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_never_counts(load, case: Case, table: pa.Table, seed: random.Random):
    order = seed.sample(range(table.num_rows), table.num_rows)
    whole = load(case)()
    assert by_id(settled(whole, table.take(pa.array(order, pa.int64())))) == by_id(settled(whole, table))


@each
@pytest.mark.parametrize("seed", range(2))
def test_rows_that_differ_in_nothing_but_their_ids_are_told_apart_by_them(load, case: Case, seed: int):
    """All texts, each four times, in a random order: every tie there can be."""
    table = pa.concat_tables([cases.mixed_table()] * 4)
    ids = pa.array([f"{n * 7919 % table.num_rows:04}" for n in range(table.num_rows)])
    table = table.set_column(table.column_names.index("id"), "id", ids)
    order = random.Random(seed).sample(range(table.num_rows), table.num_rows)
    whole = load(case)()
    assert by_id(settled(whole, table.take(order))) == by_id(settled(whole, table))


@each
@few
@given(table=cases.tables(), cut=st.integers(0, 10))
def test_a_sketch_depends_on_its_row_alone(load, case: Case, table: pa.Table, cut: int):
    whole, table = load(case)(), going(table)
    parts = [whole.sketch(table.slice(0, cut)), whole.sketch(table.slice(cut))]
    assert parts[0].schema == parts[1].schema
    joined, together = pa.concat_tables(parts), whole.sketch(table)
    assert joined.num_rows == table.num_rows
    assert joined.to_pylist() == together.to_pylist()
    assert joined["id"].to_pylist() == table["id"].to_pylist()


@each
def test_a_batch_of_nothing_has_the_same_columns(load, case: Case):
    whole, table = load(case)(), going(cases.mixed_table())
    assert whole.sketch(table.slice(0, 0)).schema == whole.sketch(table).schema


@each
def test_slices_and_chunks_of_columns_change_no_sketch(load, case: Case):
    whole, table = load(case)(), going(cases.mixed_table())
    chunked = pa.concat_tables([table.slice(0, 7), table.slice(7, 1), table.slice(8)])
    sliced = pa.concat_tables([table.slice(9), table]).slice(table.num_rows - 9)
    expected = whole.sketch(table).to_pylist()
    assert whole.sketch(chunked).to_pylist() == expected
    assert whole.sketch(sliced).to_pylist() == expected


@each
@few
@given(table=cases.tables())
def test_columns_and_rows_stay(load, case: Case, table: pa.Table):
    out = settled(load(case)(), table)
    assert out.column_names[: table.num_columns] == table.column_names
    assert out.schema.types[: table.num_columns] == table.schema.types
    assert out["id"].to_pylist() == table["id"].to_pylist()
    assert out["text"].to_pylist() == table["text"].to_pylist()


@each
@few
@given(table=cases.tables(most=16))
def test_rows_that_were_dropped_are_neither_marked_nor_seen(load, case: Case, table: pa.Table):
    whole = load(case)()
    out = settled(whole, cases.with_twins(table))
    before = {name: row for name, row in by_id(cases.with_twins(table)).items() if "drop" in row}
    assert {name: row for name, row in by_id(out).items() if row.get("drop") == EARLIER} == before
    alone = settled(whole, cases.with_twins(table).filter(kept(cases.with_twins(table))))
    after = by_id(out)
    assert all(after[name] == row for name, row in by_id(alone).items())


@each
@few
@given(table=cases.tables(most=16))
def test_marks_are_of_rows_that_go_on_and_each_once(load, case: Case, table: pa.Table):
    whole, table = load(case)(), going(table)
    sketches = whole.sketch(table)
    pairs = checked(whole, sketches, candidates(*exploded(sketches)))
    marks = whole.settle(sketches.drop_columns(list(whole.heavy)), pairs)
    rows = marks["row"].to_pylist()
    assert len(set(rows)) == len(rows)
    assert all(0 <= row < table.num_rows for row in rows)
    extra = set(marks.column_names) - MARKS
    assert all(name.startswith("meta.") and marks[name].type == pa.string() for name in extra)


@each
@few
@given(table=cases.tables(most=16))
def test_reasons_name_the_step_and_no_value(load, case: Case, table: pa.Table):
    check_reasons(case, table, settled(load(case)(), table))


def check_reasons(case: Case, table: pa.Table, out: pa.Table) -> None:
    ids = set(table["id"].to_pylist())
    for reason in {*out["drop"].drop_null().to_pylist()} - {EARLIER}:
        assert reason.startswith(cases.begins(case.name)), reason
        assert len(reason) <= 60, reason
        assert not re.search(r"\d", reason), reason
        assert not any(name in reason for name in ids)


@each
def test_a_row_goes_only_for_one_that_stays(load, case: Case):
    """Nothing is lost: what a row names in its place is there, and goes on."""
    table = pa.concat_tables([cases.mixed_table(), cases.mixed_table()])
    ids = pa.array([f"row {n}" for n in range(table.num_rows)])
    table = table.set_column(table.column_names.index("id"), "id", ids)
    out = settled(load(case)(), table)
    check_reasons(case, table, out)
    if "meta.duplicate_of" in out.column_names:
        fresh = out.filter(pc.and_(pc.is_valid(out["drop"]), pc.not_equal(out["drop"], EARLIER)))
        stays = set(going(out)["id"].to_pylist())
        assert fresh.num_rows > 0
        assert set(fresh["meta.duplicate_of"].to_pylist()) <= stays
        assert not set(fresh["id"].to_pylist()) & stays
        assert going(out)["meta.duplicate_of"].null_count == len(stays)


@each
@pytest.mark.parametrize("size", [0, 1])
def test_no_row_and_one_row(load, case: Case, size: int):
    table = cases.mixed_table().slice(11, size)
    out = settled(load(case)(), table)
    assert out.num_rows == size
    assert out["drop"].null_count == size
    assert out.select(table.column_names).drop_columns(["drop"]).equals(table.drop_columns(["drop"]))


@each
def test_a_table_of_rows_that_were_all_dropped_stays(load, case: Case):
    table = cases.mixed_table()
    at = table.column_names.index("drop")
    table = table.set_column(at, "drop", pa.array([EARLIER] * table.num_rows))
    assert settled(load(case)(), table).select(table.column_names).equals(table)


@each
def test_all_of_it_can_be_sent_to_another_process(load, case: Case):
    whole, table = load(case)(), cases.mixed_table()
    assert isinstance(whole, Whole)
    again = pickle.loads(pickle.dumps(whole))
    assert settled(again, table).equals(settled(whole, table))


@each
@pytest.mark.parametrize("labelled", [False, True])
def test_what_stays_in_memory_is_small(load, case: Case, labelled: bool):
    """A million rows in 200 MB, however long the texts are; keys lie apart, in files."""
    table = cases.of_texts([f"{n} {cases.LONG}" for n in range(50)], labels={"t": "a"} if labelled else {})
    whole = load(case)()
    sketches = whole.sketch(table)
    light = sketches.drop_columns([*whole.heavy, "keys"]).combine_chunks()
    most = LIGHT + (VECTOR.get(case.name, 0) if labelled else 0)
    assert light.nbytes / table.num_rows <= most
    assert sketches.schema.field("keys").type == pa.list_(pa.uint64())


@each
def test_what_settles_does_not_look_at_what_is_heavy(load, case: Case):
    """`settled` takes those columns away; the names in `heavy` must be columns of the sketch, and no id."""
    whole = load(case)()
    names = whole.sketch(going(cases.mixed_table())).column_names
    assert set(whole.heavy) <= set(names)
    assert not {"id", "keys"} & set(whole.heavy)
    assert len(set(names)) == len(names)


@each
def test_check_judges_pairs_whatever_pairs_stand_beside(load, case: Case):
    whole = load(case)()
    if whole.check is None:
        assert whole.heavy == ()  # nobody would look at it
        return
    sketches = whole.sketch(going(pa.concat_tables([cases.mixed_table()] * 2)))
    # a row without a key is never a candidate
    sketches = sketches.filter(pc.greater(pc.list_value_length(sketches["keys"]), 0))
    rng = np.random.default_rng(7)
    left, right = rng.integers(0, max(sketches.num_rows, 1), (2, 100 if sketches.num_rows else 0))
    together = whole.check(sketches.take(left), sketches.take(right))
    assert together.shape == (len(left),)
    assert together.dtype == bool
    alone = [
        whole.check(sketches.take(left[n : n + 1]), sketches.take(right[n : n + 1]))[0]
        for n in range(len(left))
    ]
    assert together.tolist() == alone
    assert whole.check(sketches.take(right), sketches.take(left)).tolist() == alone  # it has no direction


def test_the_steps_find_something_in_these_tables(load):
    """What no step marks would test nothing."""
    silent = set()
    for case in STEPS:
        table = cases.mixed_table()
        if settled(load(case)(), table).equals(table):
            silent.add(case.name)
    assert silent <= {"image_duplicates", "labellers"}

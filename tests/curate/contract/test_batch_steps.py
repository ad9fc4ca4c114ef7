"""The contract of every step over one row at a time: whatever stands beside a row, its result is the same."""

import pickle
import re
from pathlib import Path

import contract_cases as cases
import pyarrow as pa
import pytest
from contract_cases import EARLIER, Case, told
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openflywheel.curate._batches import kept
from openflywheel.curate._engine.batches import ORIGIN

STEPS = cases.cases()[0]
each = pytest.mark.parametrize("case", STEPS, ids=str)
few = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))


def test_no_step_is_left_out():
    batch, whole, missing = cases.cases()
    assert {c.name for c in batch} | {c.name for c in whole} | set(missing) == set(cases.door.names("curate"))
    assert {"extract", "chunk", "redact"} <= {c.name for c in batch}
    assert {"dedupe", "split"} <= {c.name for c in whole}
    assert set(cases.SETTINGS) <= set(cases.door.names("curate"))


@each
@few
@given(table=cases.tables(), draw=st.data())
def test_the_result_of_a_row_does_not_depend_on_the_others(load, case: Case, table: pa.Table, draw):
    step = load(case)
    order = draw.draw(st.permutations(range(table.num_rows)))
    sizes = draw.draw(st.lists(st.integers(1, 4), max_size=4))
    apart: dict[int, list[cases.Row]] = {}
    for piece in cases.pieces(table, order, sizes):
        apart |= told(step(piece))
    assert apart == told(step(table))


@each
@few
@given(table=cases.tables())
def test_what_was_there_stays(load, case: Case, table: pa.Table):
    out = load(case)(table)
    taken = cases.TAKES.get(case.name, set())
    names = [name for name in table.column_names if name not in taken]
    assert [name for name in out.column_names if name in table.column_names and name not in taken] == names
    assert len(set(out.column_names)) == len(out.column_names)
    for name in names:
        assert out.schema.field(name).type == table.schema.field(name).type, name


@each
@few
@given(table=cases.tables())
def test_rows_keep_their_order_and_none_is_lost(load, case: Case, table: pa.Table):
    out = load(case)(table)
    origins = out[ORIGIN].to_pylist()
    if case.name not in cases.ADDS:
        assert origins == table[ORIGIN].to_pylist()
        assert out["id"].to_pylist() == table["id"].to_pylist()
    assert list(dict.fromkeys(origins)) == table[ORIGIN].to_pylist()
    assert origins == sorted(origins, key=list(dict.fromkeys(origins)).index)  # those of one row are together
    ids = out["id"].to_pylist()
    assert len(set(ids)) == len(ids)


@each
@few
@given(table=cases.tables())
def test_rows_that_were_dropped_stay_exactly_as_they_are(load, case: Case, table: pa.Table):
    table = cases.with_twins(table)
    out = load(case)(table)
    names = [name for name in table.column_names if name not in cases.TAKES.get(case.name, ())]
    before = table.filter(pa.compute.is_valid(table["drop"])).select(names)
    after = out.filter(pa.compute.equal(out["drop"], EARLIER)).select(names)
    assert after.to_pylist() == before.to_pylist()


@each
def test_a_row_that_was_dropped_says_nothing_and_hears_nothing_of_its_twin(load, case: Case):
    table = cases.with_twins(cases.mixed_table())
    names = [name for name in table.column_names if name not in cases.TAKES.get(case.name, ())]
    out = load(case)(table)
    dropped = [row for row in out.select(names).to_pylist() if row["drop"] == EARLIER]
    assert dropped == [row for row in table.select(names).to_pylist() if row["drop"] == EARLIER]


@each
@few
@given(table=cases.tables(most=20))
def test_reasons_name_the_step_and_no_value(load, case: Case, table: pa.Table):
    check_reasons(case, load(case)(table))


def check_reasons(case: Case, out: pa.Table) -> None:
    for reason in {*out["drop"].drop_null().to_pylist()} - {EARLIER}:
        assert reason.startswith(cases.begins(case.name)), reason
        assert len(reason) <= 60, reason
        assert not re.search(r"\d", re.sub(r"c4: |\d+-grams?$", "", reason)), reason
        assert reason == reason.strip(), reason
        assert "\n" not in reason, reason


@each
def test_every_text_of_the_table_passes(load, case: Case):
    check_reasons(case, load(case)(cases.mixed_table()))


@each
def test_an_empty_table_has_the_columns_of_a_full_one(load, case: Case):
    full, step = cases.mixed_table(), load(case)
    out = step(full.slice(0, 0))
    assert out.num_rows == 0
    for name in full.column_names:
        if name not in cases.TAKES.get(case.name, ()):
            assert out.schema.field(name).type == full.schema.field(name).type


@each
def test_a_table_of_rows_that_were_all_dropped_stays(load, case: Case):
    table = cases.mixed_table()
    at = table.column_names.index("drop")
    table = table.set_column(at, "drop", pa.array([EARLIER] * table.num_rows))
    out = load(case)(table)
    assert out.select(table.column_names).equals(table)


@each
def test_a_batch_is_as_good_as_a_table(load, case: Case):
    table, step = cases.mixed_table().combine_chunks(), load(case)
    [batch] = table.to_batches()
    assert told(step(batch)) == told(step(table))


@each
def test_slices_and_chunks_of_columns_change_nothing(load, case: Case):
    table, step = cases.mixed_table(), load(case)
    chunked = pa.concat_tables([table.slice(0, 7), table.slice(7, 1), table.slice(8)])
    sliced = pa.concat_tables([table.slice(40), table]).slice(table.num_rows - 40)
    assert told(step(chunked)) == told(step(sliced)) == told(step(table))


@each
def test_the_same_step_twice_gives_the_same(load, case: Case):
    table, step = cases.mixed_table(), load(case)
    assert step(table).equals(step(table), check_metadata=True)


@each
def test_a_loaded_step_can_be_sent_to_another_process(load, case: Case):
    step, table = load(case), cases.mixed_table()
    assert told(pickle.loads(pickle.dumps(step))(table)) == told(step(table))


@each
def test_the_table_that_was_given_is_not_changed(load, case: Case):
    table = cases.mixed_table()
    before = pickle.dumps(table)
    load(case)(table)
    assert table.equals(pickle.loads(before))


@pytest.mark.parametrize("case", [c for c in STEPS if c.name in ("mojibake", "normalise", "redact")], ids=str)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(cases.some_texts(), max_size=8))
def test_mended_texts_need_no_more_mending(load, case: Case, texts: list[str]):
    step = load(case)
    once = step(cases.of_texts(texts))
    assert told(step(once)) == told(once)


@pytest.mark.parametrize(
    "name", ["language", "toxicity", "enrich", "chunk", "staleness", "extract", "topics"]
)
def test_what_a_step_said_of_a_row_that_was_dropped_later_stays(load, name: str):
    case = next(c for c in STEPS if c.name == name)
    step, first = load(case), load(case)(cases.mixed_table())
    at = first.column_names.index("drop")
    dropped = first.set_column(at, "drop", pa.array([EARLIER] * first.num_rows))
    assert step(dropped).select(first.column_names).to_pylist() == dropped.to_pylist()


@each
def test_a_step_that_drops_can_drop_and_lets_go_on(load, case: Case):
    """Else the tests above would show nothing of the step."""
    known = {"embed", "enrich", "chunk", "normalise", "topics", "media"}
    table = cases.mixed_table()
    out = load(case)(table)
    assert kept(out).to_pylist().count(True) > 0
    changed = out.column_names != table.column_names or told(out) != told(table)
    assert changed or case.name in known | {"mojibake", "extract"}
    fresh = {*out["drop"].drop_null().to_pylist()} - {EARLIER}
    assert not fresh or case.name not in known


def test_the_steps_find_something_in_these_tables(load, folder: Path):
    """Every step that may drop does so on one of its uses; what nobody drops would test nothing."""
    silent = {"embed", "enrich", "chunk", "normalise", "topics", "media", "extract"}
    drops: dict[str, set[str]] = {}
    for case in STEPS:
        out = load(case)(cases.mixed_table())
        drops.setdefault(case.name, set()).update(set(out["drop"].drop_null().to_pylist()) - {EARLIER})
    assert {name for name, reasons in drops.items() if not reasons} <= silent
    assert (folder / "vault.db").exists()  # redact kept what may be restored

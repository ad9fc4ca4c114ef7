"""What a state says of rows, after all that has come since."""

import pyarrow as pa
import pytest
from engine_samples import (
    MANY,
    RECIPES,
    in_memory,
    in_pieces,
    lay_over,
    marks,
    marks_of,
    run,
    shards_of,
    table_of,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.errors import WheelBusy
from openflywheel.curate._engine.forget import forget
from openflywheel.curate._engine.recall import recall
from openflywheel.curate._engine.state import opened


def said(state, ids):
    """id -> what is not null of its marks."""
    rows = recall(state, ids).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def without_text(found):
    return [{name: value for name, value in row.items() if name != "text"} for row in found]


def test_each_id_has_its_own_marks_in_the_order_asked_for(tmp_path):
    table, state = table_of(["ccc a", "ccc a", "dd bb"]), tmp_path / "state"
    found = marks_of(run(shards_of(table, 2), ("same",), tmp_path, state))
    ids = table["id"].to_pylist()
    assert said(state, ids) == without_text([found[name] for name in ids])
    assert said(state, ids[::-1]) == said(state, ids)[::-1]
    assert said(state, [ids[0], ids[0]]) == said(state, ids[:1]) * 2
    assert sum("drop" in row for row in said(state, ids)) == 1


def test_the_columns_are_there_for_whoever_asks(tmp_path):
    table, state = table_of(["ccc a"]), tmp_path / "state"
    marks_of(run(shards_of(table, 2), ("same",), tmp_path, state))
    found = recall(state, [])
    assert found.num_rows == 0
    assert found.schema.field("drop").type == found.schema.field("role").type == pa.string()
    assert found.schema.field("weight").type == pa.float64()


def test_of_what_it_never_saw_it_says_nothing(tmp_path):
    table, state = table_of(["ccc a", "ccc a"]), tmp_path / "state"
    marks_of(run(shards_of(table, 2), ("same",), tmp_path, state))
    assert said(state, ["unknown", ""]) == [{}, {}]
    assert said(tmp_path / "empty", ["unknown"]) == [{}]


def test_rows_that_no_whole_step_saw_have_no_marks(tmp_path):
    table, state = table_of(["ccc a", "b", "ccc a"]), tmp_path / "state"
    marks_of(run(shards_of(table, 2), ("short", "same"), tmp_path, state))
    assert said(state, [table["id"][1].as_py()]) == [{}]


def test_a_row_that_gave_way_later_is_told_so(tmp_path):
    first, second = sorted((table_of(["ccc a"], n) for n in (0, 1)), key=lambda t: t["id"][0].as_py())
    better, worse = first["id"][0].as_py(), second["id"][0].as_py()
    state = tmp_path / "state"
    marks_of(run(shards_of(second, 9), ("same",), tmp_path, state))
    assert said(state, [worse]) == [{}]
    marks_of(run(shards_of(first, 9), ("same",), tmp_path, state))
    assert said(state, [better, worse]) == [
        {"meta.group": better},
        {"drop": "same: a copy", "meta.group": better},
    ]
    forget(state, [better])
    marks_of(run([], ("same",), tmp_path, state))
    assert said(state, [better, worse]) == [{}, {}]


def test_a_row_is_dropped_for_its_first_reason_and_has_its_last_fact(tmp_path):
    """Two stages with whole steps: the second one's fact is over the first one's."""
    table, state = table_of(["aa bb cc", "aa bb cc", "aa bb dd cc"]), tmp_path / "state"
    names = ("same", "sized", "alike")
    found = marks_of(run(shards_of(table, 2), names, tmp_path, state))
    ids = table["id"].to_pylist()
    marks_now = said(state, ids)
    assert [row.get("drop") for row in marks_now] == [found[name].get("drop") for name in ids]
    assert "same: a copy" in [row.get("drop") for row in marks_now]
    assert [row.get("meta.group") for row in marks_now] == [found[name].get("meta.group") for name in ids]


@settings(max_examples=25, deadline=None)
@given(
    st.builds(written, st.integers(0, 2**20), st.integers(1, 90), st.integers(1, 6)),
    st.sampled_from([recipe for recipe in RECIPES if "halves" not in recipe and "lower" not in recipe]),
    st.integers(1, 90),
)
def test_it_says_what_a_run_over_everything_says(tmp_path_factory, table, names, cut):
    """After two runs, of each row, whichever of them brought it."""
    work = tmp_path_factory.mktemp("work")
    in_pieces(table, [0, min(cut, table.num_rows), table.num_rows], 40, names, work)
    whole = marks([in_memory(table, names)])
    ids = table["id"].to_pylist()
    assert said(work / "state", ids) == without_text([whole[name] for name in ids])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**20), st.integers(1, 90))
def test_it_knows_what_later_stages_made_of_a_row_by_the_new_ids(tmp_path_factory, seed, rows):
    work, table = tmp_path_factory.mktemp("work"), written(seed, rows, 5)
    names = ("same", "halves", "alike")
    found = marks_of(run(shards_of(table, 40), names, work, work / "state"))
    whole_steps = {"drop", "meta.group"}
    ids = list(found)
    expected = [{n: v for n, v in found[name].items() if n in whole_steps} for name in ids]
    told = said(work / "state", ids)
    assert [row.get("drop") for row in told] == [row.get("drop") for row in expected]


def test_nobody_is_told_while_a_run_holds_the_state(tmp_path):
    table, state = table_of(["ccc a"]), tmp_path / "state"
    with run(shards_of(table, 9), MANY, tmp_path, state), pytest.raises(WheelBusy, match="another run uses"):
        recall(state, ["x"])
    assert said(state, table["id"].to_pylist())[0]["role"] in ("train", "holdout")


def test_to_ask_changes_nothing(tmp_path):
    table, state = written(7, 60, 5), tmp_path / "state"
    found: dict[str, dict[str, object]] = {}
    with run(shards_of(table, 20), ("same", "alike"), tmp_path, state) as result:
        lay_over(found, result)
    with opened(state, None) as held:
        before = held.manifest
    recall(state, table["id"].to_pylist())
    with opened(state, None) as held:
        assert held.manifest == before

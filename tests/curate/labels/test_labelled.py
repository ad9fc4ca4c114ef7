from collections.abc import Sequence

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._labels.labelled import EXPERT, labelled, tasks, trust, weights

MAPS = pa.map_(pa.string(), pa.string())


def column(some: Sequence[dict[str, str] | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([None if d is None else list(d.items()) for d in some], MAPS)])


def test_each_task_has_its_rows_and_its_labels_as_numbers() -> None:
    some = column([{"route": "b"}, {}, {"tone": "x", "route": "a"}, {"route": "b"}])
    route, tone = tasks(some)
    assert (route.task, route.names) == ("route", ("a", "b"))
    assert (route.rows.tolist(), route.given.tolist()) == ([0, 2, 3], [1, 0, 1])
    assert (tone.task, tone.rows.tolist(), tone.given.tolist()) == ("tone", [2], [0])


def test_an_empty_label_is_none() -> None:
    some = column([{"route": ""}, None, {"route": "a"}])
    assert [t.rows.tolist() for t in tasks(some)] == [[2]]
    assert labelled(some).tolist() == [False, False, True]


def test_no_labels_no_tasks() -> None:
    assert list(tasks(column([{}, None]))) == list(tasks(column([]))) == []
    assert labelled(column([])).tolist() == []


def test_trust_rises_from_nobody_to_experts() -> None:
    assert trust(pa.array(["", "seed", "user", "expert", "stranger", None])).tolist() == [0, 1, 2, 3, 0, 0]
    assert EXPERT == 3


def test_weights_are_one_until_a_step_gives_others() -> None:
    table = pa.table({"text": ["a", "b"]})
    assert weights(table).to_pylist() == [1.0, 1.0]
    assert weights(table.append_column("weight", pa.array([0.5, None]))).to_pylist() == [0.5, 1.0]


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("rt"), st.sampled_from(["", "x", "y"])), max_size=8))
def test_every_label_is_found_once(some: list[dict[str, str]]) -> None:
    found = {
        (row, t.task): t.names[g] for t in tasks(column(some)) for row, g in zip(t.rows, t.given, strict=True)
    }
    assert found == {(row, task): label for row, d in enumerate(some) for task, label in d.items() if label}

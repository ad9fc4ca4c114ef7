import numpy as np
import pyarrow as pa
import pytest

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._enrich.settling import REASON, Trust, check, settle, sketch

DAYS = "Returns are accepted within {} days of delivery."


def sketches(when: list[float], credible: list[float]) -> pa.Table:
    return pa.table({"id": [f"r{n}" for n in range(len(when))], "when": when, "credible": credible})


def marks(
    when: list[float], pairs: list[list[int]], trust: Trust = "newest", credible: list[float] | None = None
) -> list[tuple[int, str, bool]]:
    table = sketches(when, credible or [0.5] * len(when))
    found = settle(table, np.array(pairs, np.int64).reshape(-1, 2), trust=trust, drop=True)
    rows = zip(
        found["row"].to_pylist(),
        found["meta.contradicted_by"].to_pylist(),
        found["drop"].to_pylist(),
        strict=True,
    )
    return [(row, by, drop == REASON) for row, by, drop in rows]


def test_the_older_one_loses_whatever_its_place() -> None:
    assert marks([1, 2], [[0, 1]]) == [(0, "r1", True)]
    assert marks([2, 1], [[0, 1]]) == [(1, "r0", True)]


def test_equals_both_lose_and_stay() -> None:
    assert marks([1, 1], [[0, 1]]) == [(0, "r1", False), (1, "r0", False)]


def test_a_text_that_loses_to_one_and_is_equal_to_another_is_dropped() -> None:
    assert marks([1, 1, 2], [[0, 1], [0, 2]]) == [(0, "r2", True), (1, "r0", False)]


def test_a_draw_of_winners_goes_to_the_greater_id() -> None:
    assert marks([1, 2, 2], [[0, 1], [0, 2]]) == [(0, "r2", True)]
    assert marks([1, 2, 2], [[0, 2], [0, 1]]) == [(0, "r2", True)]


@pytest.mark.parametrize(("trust", "loser"), [("newest", 0), ("credible", 1)])
def test_trust(trust: Trust, loser: int) -> None:
    assert [row for row, _, _ in marks([1, 2], [[0, 1]], trust, [0.9, 0.1])] == [loser]


def test_the_other_measure_breaks_a_draw() -> None:
    assert marks([1, 1], [[0, 1]], "newest", [0.9, 0.1])[0][0] == 1
    assert marks([1, 2], [[0, 1]], "credible", [0.5, 0.5])[0][0] == 0


def test_no_pairs_mark_nothing() -> None:
    assert marks([1, 2], []) == []
    assert marks([], []) == []


def table(*texts: str, **fields: object) -> pa.Table:
    records = [Record(**{"text": text, "source": "s", "at": 0.0, **fields}) for text in texts]  # type: ignore[arg-type]
    return sketch(pa.Table.from_batches([to_batch(records, Record)]), most=64)


def test_pairs_are_checked_side_by_side() -> None:
    left = table(DAYS.format(30), DAYS.format(30), "Nothing of the kind.", "")
    right = table(DAYS.format(14), DAYS.format(30), DAYS.format(14), DAYS.format(14))
    assert check(left, right).tolist() == [True, False, False, False]
    assert check(right, left).tolist() == [True, False, False, False]


def test_no_pairs_pass_where_there_are_none() -> None:
    assert check(table(), table()).tolist() == []


def test_a_sketch_is_small_without_its_heavy_columns() -> None:
    found = table(DAYS.format(30))
    assert found.column_names == [
        "id",
        "when",
        "credible",
        "keys",
        "claims",
        "values",
        "entities",
        "document",
    ]
    assert found["keys"][0].as_py() == found["claims"][0].as_py()
    assert found["credible"].to_pylist() == [0.5]


def test_the_day_is_that_of_publication() -> None:
    found = table("a", meta={"published": "1970-01-03"})
    assert found["when"].to_pylist() == [2 * 86_400.0]

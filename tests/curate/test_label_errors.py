import pickle
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import settled
from openflywheel.curate.label_errors import AGAINST, WRONG, Then, label_errors

NAMES = ("cancel", "pay", "return", "track")


class Planted:
    """A text "2 17" is a vector near the third axis, the same at every call."""

    name, width = "planted", 8

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        made = np.zeros((len(texts), self.width), np.float32)
        for row, text in enumerate(texts):
            kind, number = map(int, text.split()[:2])
            noise = np.random.default_rng(number).normal(scale=0.1, size=self.width)
            made[row] = np.eye(self.width)[kind] + noise
        made /= np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)
        return made


def table(records: Sequence[Record]) -> pa.Table:
    made = pa.Table.from_batches([to_batch(records, Record)])
    return made.append_column("drop", pa.nulls(len(records), pa.string()))


def record(number: int, label: str = "", by: str = "user", text: str = "", **labels: str) -> Record:
    said = {"route": label or NAMES[number % 4], **labels}
    return Record(
        text=text or f"{number % 4} {number}",
        source="test",
        subject=f"p{number % 40}",
        labels=said,
        labelled_by=by,
    )


def some(n: int, wrong: dict[int, str], by: str = "user") -> list[Record]:
    return [record(i, wrong.get(i, ""), by if i in wrong else "user") for i in range(n)]


def marked(records: Sequence[Record], then: Then = "weigh", weight: float = 0.1) -> pa.Table:
    return settled(label_errors(then=then, weight=weight, encoder=Planted()), table(records))


def column(made: pa.Table, name: str) -> dict[int, object]:
    if name not in made.column_names:
        return {}
    return {i: value for i, value in enumerate(made[name].to_pylist()) if value is not None}


WRONGS = {4: "pay", 17: "track", 90: "cancel"}  # these are a cancel, a pay and a return


def test_wrong_labels_are_weighed_down_and_the_right_ones_named() -> None:
    made = marked(some(200, WRONGS))
    assert column(made, "weight") == dict.fromkeys(WRONGS, 0.1)
    assert column(made, "meta.label_doubt") == {4: "route: cancel", 17: "route: pay", 90: "route: return"}
    assert column(made, "drop") == {}


def test_they_are_dropped_or_only_reported_on_demand() -> None:
    made = marked(some(200, WRONGS), then="drop")
    assert column(made, "drop") == dict.fromkeys(WRONGS, WRONG)
    made = marked(some(200, WRONGS), then="report")
    assert (column(made, "drop"), column(made, "weight")) == ({}, {})
    assert set(column(made, "meta.label_doubt")) == set(WRONGS)


@pytest.mark.parametrize("then", ["weigh", "drop"])
def test_an_experts_label_is_reported_and_nothing_else(then: Then) -> None:
    made = marked(some(200, WRONGS, by="expert"), then=then)
    assert (column(made, "drop"), column(made, "weight")) == ({}, {})
    assert set(column(made, "meta.label_doubt")) == set(WRONGS)


def test_one_persons_rows_do_not_bear_each_other_out() -> None:
    mob = [
        Record(
            text=f"0 {1000 + i}", source="test", subject="mob", labels={"route": "pay"}, labelled_by="user"
        )
        for i in range(50)
    ]
    doubted = column(marked([*some(200, {}), *mob]), "meta.label_doubt")
    assert sum(doubted.get(200 + i) == "route: cancel" for i in range(50)) >= 40


def test_an_earlier_weight_is_multiplied() -> None:
    given = table(some(200, WRONGS)).append_column("weight", pa.array([0.5] * 200))
    made = settled(label_errors(weight=0.2, encoder=Planted()), given)
    assert made["weight"].to_pylist() == [0.1 if i in WRONGS else 0.5 for i in range(200)]


def test_contradicting_labels_of_one_text_are_both_doubted() -> None:
    rows = [
        record(0, "pay", text="0 1 Hello"),
        record(1, "cancel", text="0 1  HELLO "),
        record(2, text="0 1 hi"),
    ]
    made = marked(rows, then="drop")
    assert column(made, "drop") == {0: AGAINST, 1: AGAINST}
    assert column(made, "meta.label_doubt") == {0: "route: cancel", 1: "route: pay"}


def test_an_experts_label_puts_the_others_in_doubt() -> None:
    rows = [record(i, "pay", text="0 1") for i in range(3)] + [record(9, "cancel", by="expert", text="0 1")]
    assert column(marked(rows, then="drop"), "drop") == {0: AGAINST, 1: AGAINST, 2: AGAINST}


def test_a_majority_of_equally_trusted_people_is_believed() -> None:
    rows = [record(i, "pay", text="0 1") for i in range(2)] + [record(9, "cancel", text="0 1")]
    assert column(marked(rows, then="drop"), "drop") == {2: AGAINST}


def test_tasks_are_judged_apart() -> None:
    rows = [record(i, tone=("calm", "cross")[i % 2]) for i in range(200)]
    rows[4] = record(4, "pay", tone="cross")
    made = marked(rows)
    assert column(made, "weight") == {4: 0.1}
    assert column(made, "meta.label_doubt") == {4: "route: cancel"}


def test_few_rows_and_rows_without_labels_say_nothing() -> None:
    assert column(marked(some(40, {4: "pay"})), "weight") == {}
    bare = [Record(text=f"0 {i}", source="test") for i in range(3)]
    made = marked([*bare, record(1)])
    assert column(made, "meta.label_doubt") == {}
    assert settled(label_errors(encoder=Planted()), table([])).num_rows == 0


def test_one_label_alone_cannot_be_wrong() -> None:
    assert column(marked([record(i, "pay") for i in range(80)]), "weight") == {}


def test_dropped_rows_take_no_part() -> None:
    given = table(some(200, WRONGS))
    reasons = pa.array(["too long" if i == 4 else None for i in range(200)])
    given = given.set_column(given.schema.get_field_index("drop"), "drop", reasons)
    made = settled(label_errors(encoder=Planted()), given)
    assert set(column(made, "weight")) == {17, 90}
    assert column(made, "drop") == {4: "too long"}


def test_the_order_of_rows_changes_no_bit() -> None:
    rows = some(200, WRONGS | {40: "pay", 41: "track"})
    order = np.random.default_rng(0).permutation(200)
    made, moved = marked(rows), marked([rows[i] for i in order])
    for name in ("weight", "meta.label_doubt"):
        assert column(moved, name) == {
            at: column(made, name)[row] for at, row in enumerate(order.tolist()) if row in column(made, name)
        }


def test_sketches_are_small_and_made_row_by_row() -> None:
    whole = pickle.loads(pickle.dumps(label_errors(encoder=Planted())))
    given = table([*some(100, {}), *(Record(text="none", source="test") for _ in range(100))])
    sketches = whole.sketch(given)
    assert sketches.num_rows == 200
    parts = pa.concat_tables([whole.sketch(given.slice(0, 150)), whole.sketch(given.slice(150))])
    assert parts.to_pylist() == sketches.to_pylist()
    assert sketches.slice(100)["vector"].to_pylist() == [[]] * 100


def test_a_weight_above_one_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"weight = 1\.5: give a number from 0 to 1"):
        label_errors(weight=1.5, encoder=Planted())


def test_the_door_hands_the_encoder_in() -> None:
    about = door.describe("curate", "label_errors")
    assert about.handed == ("encoder",)
    assert {s.name: s.default for s in about.settings} == {"then": "weigh", "weight": 0.1}

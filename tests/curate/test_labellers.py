import pickle
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import settled
from openflywheel.curate.labellers import labellers


def record(
    text: str, label: str, who: str = "", by: str = "user", meta: dict[str, str] | None = None
) -> Record:
    labels = {"route": label} if label else {}
    return Record(text=text, source="test", subject=who, labels=labels, labelled_by=by, meta=meta or {})


def table(records: Sequence[Record]) -> pa.Table:
    made = pa.Table.from_batches([to_batch(records, Record)])
    return made.append_column("drop", pa.nulls(len(records), pa.string()))


def marked(records: Sequence[Record]) -> pa.Table:
    return settled(labellers(), table(records))


def weights(made: pa.Table) -> list[float | None]:
    if "weight" not in made.column_names:
        return [None] * made.num_rows
    found: list[float | None] = made["weight"].to_pylist()
    return found


def crowd(n: int = 60) -> list[Record]:
    """Ann and Bob are always right, Cay says "pay" whatever the text is; each labels every text."""
    right = [("pay", "cancel")[i % 2] for i in range(n)]
    return [
        record(f"Text {i}" if who != "bob" else f" text  {i}", "pay" if who == "cay" else right[i], who)
        for i in range(n)
        for who in ("ann", "bob", "cay")
    ]


def test_a_label_weighs_what_its_labeller_is_worth() -> None:
    made = marked(crowd())
    by = {
        who: np.array(weights(made))[place::3].astype(float)
        for place, who in enumerate(("ann", "bob", "cay"))
    }
    assert by["ann"].min() > 0.9
    assert by["bob"].min() > 0.9
    assert by["cay"][0::2].min() > 0.9  # right by accident
    assert by["cay"][1::2].max() < 0.1
    reliability = [float(value) for value in made["meta.reliability"].to_pylist()[:3]]
    assert reliability[0] > 0.9
    assert 0.35 < reliability[2] < 0.65


def test_a_text_with_one_label_has_its_labellers_reliability() -> None:
    alone = [record(f"only {who}", "pay", who) for who in ("ann", "cay", "dan")]
    ann, cay, unknown = weights(marked([*crowd(), *alone]))[-3:]
    assert ann is not None
    assert cay is not None
    assert unknown is not None
    assert ann > 0.9 > unknown > cay


def test_experts_know_the_truth_and_keep_their_weight() -> None:
    rows = [record(f"t {i}", "pay", who) for i in range(20) for who in ("ann", "bob")]
    rows += [record(f"t {i}", "cancel", "bob", by="expert") for i in range(20)]
    made = marked(rows)
    assert weights(made)[40:] == [None] * 20
    assert max(w for w in weights(made)[:40] if w is not None) < 0.01
    assert float(made["meta.reliability"][0].as_py()) < 0.3
    assert float(made["meta.reliability"][40].as_py()) > 0.7


def test_without_two_labellers_of_one_text_nothing_is_known() -> None:
    rows = [
        record("a", "pay", "ann"),
        record("A", "cancel", "ann"),
        record("b", "pay", "bob"),
        record("c", ""),
    ]
    made = marked(rows)
    assert weights(made) == [None] * 4
    assert made.column("drop").null_count == 4
    assert marked([]).num_rows == 0


def test_who_labelled_is_named_by_the_fact_the_subject_or_the_kind() -> None:
    def differ(one: Record, other: Record) -> bool:
        return weights(marked([one, other])) != [None, None]

    ann = record("a", "pay", "ann")
    assert differ(ann, record("a", "pay", "bob"))
    assert not differ(ann, record("a", "pay", "bob", meta={"labeller": "ann"}))
    assert not differ(record("a", "pay", "ann", by="seed"), record("a", "pay", "bob", by="seed"))
    assert differ(ann, record("a", "pay", "ann", by="seed"))


def test_an_earlier_weight_is_multiplied() -> None:
    rows = table(crowd())
    before, half = settled(labellers(), rows), rows.append_column("weight", pa.array([0.5] * rows.num_rows))
    after = settled(labellers(), half)
    assert weights(after) == pytest.approx([w / 2 for w in weights(before) if w is not None])


def test_the_order_of_rows_changes_no_bit() -> None:
    rows = [*crowd(20), *(record(f"{i}", "pay", "ann") for i in range(5))]
    order = np.random.default_rng(0).permutation(len(rows))
    made, moved = weights(marked(rows)), weights(marked([rows[i] for i in order]))
    assert moved == [made[i] for i in order]


def test_sketches_are_made_row_by_row_and_can_be_sent() -> None:
    whole, rows = pickle.loads(pickle.dumps(labellers())), table(crowd(6))
    parts = pa.concat_tables([whole.sketch(rows.slice(0, 7)), whole.sketch(rows.slice(7))])
    assert parts.to_pylist() == whole.sketch(rows).to_pylist()


some = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from(["", "pay", "cancel", "track"]),
        st.sampled_from(["ann", "bob", "cay"]), st.sampled_from(["", "user", "seed", "expert"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(some)
def test_weights_are_probabilities_and_no_row_changes_otherwise(
    rows: list[tuple[str, str, str, str]],
) -> None:
    given_table = table([record(*row) for row in rows])
    made = settled(labellers(), given_table)
    assert made.select(given_table.column_names) == given_table
    for (_, label, _, by), weight in zip(rows, weights(made), strict=True):
        assert weight is None or 0 <= weight <= 1
        assert weight is None or (label and by != "expert")


def test_the_door_knows_it() -> None:
    about = door.describe("curate", "labellers")
    assert (about.handed, about.settings) == ((), ())

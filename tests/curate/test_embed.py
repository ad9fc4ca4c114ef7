from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from openflywheel.base import door
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Record
from openflywheel.curate.embed import embed


def batch(texts: list[str], drops: list[str | None] | None = None) -> pa.Table:
    rows = to_batch([Record(text=text, source="test", at=0.0) for text in texts], Record)
    return pa.Table.from_batches([
        rows.append_column("drop", pa.array(drops or [None] * len(texts), pa.string()))
    ])  # fmt: skip


class Counting(NgramEncoder):
    """Notes what it is asked."""

    def __init__(self, name: str = "ngrams") -> None:
        self.name, self.asked = name, 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += len(texts)
        return super().encode(texts)


def test_each_row_has_its_vector_in_half_precision() -> None:
    table = embed(batch(["a blue shirt", "a red shirt"]), encoder=NgramEncoder())
    assert table["embedding"].type == pa.list_(pa.float16(), NgramEncoder.width)
    found = np.array(table["embedding"].to_pylist(), np.float32)
    assert np.allclose(found, NgramEncoder().encode(["a blue shirt", "a red shirt"]), atol=1e-3)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)


def test_dropped_rows_have_none_and_are_not_encoded() -> None:
    encoder = Counting()
    table = embed(batch(["a", "b", "c"], ["before", None, "before"]), encoder=encoder)
    assert encoder.asked == 1
    assert table["embedding"].is_null().to_pylist() == [True, False, True]


def test_what_this_encoder_made_is_not_made_again() -> None:
    encoder = Counting()
    table = embed(batch(["a", "b"]), encoder=encoder)
    assert embed(table, encoder=encoder) == table
    assert encoder.asked == 2


def test_what_another_encoder_made_is_replaced() -> None:
    table = embed(embed(batch(["a"]), encoder=Counting("other")), encoder=Counting("mine"))
    assert table.column_names.count("embedding") == 1
    assert table.schema.field("embedding").metadata == {b"encoder": b"mine"}


def test_a_vector_that_is_missing_is_made() -> None:
    table = embed(batch(["a", "b"], ["before", None]), encoder=Counting())
    encoder = Counting()
    again = embed(
        table.set_column(table.column_names.index("drop"), "drop", pa.nulls(2, pa.string())), encoder=encoder
    )
    assert encoder.asked == 2
    assert again["embedding"].null_count == 0


def test_no_rows_are_no_problem() -> None:
    assert embed(batch([]), encoder=NgramEncoder()).num_rows == 0


def test_the_rest_stays() -> None:
    given = batch(["a", "b"])
    assert embed(given, encoder=NgramEncoder()).drop_columns("embedding") == given


def test_the_door_hands_the_encoder_in() -> None:
    assert door.describe("curate", "embed").handed == ("encoder",)

import pyarrow as pa
import pytest

from openflywheel.base import door
from openflywheel.base.errors import UnknownSetting
from openflywheel.base.instruments.columns import schema_of, to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate.length import length


def batch(texts: list[str]) -> pa.RecordBatch:
    records = to_batch([Record(text=text, source="test") for text in texts], Record)
    return records.append_column("drop", pa.nulls(len(texts), pa.string()))


def test_both_ends_belong() -> None:
    table = length(batch(["a", "ab", "abc", "abcd"]), least=2, most=3)
    assert table["drop"].to_pylist() == ["too short", None, None, "too long"]


def test_by_default_two_to_four_thousand() -> None:
    table = length(batch(["a", "ab", "a" * 4000, "a" * 4001]))
    assert table["drop"].to_pylist() == ["too short", None, None, "too long"]


def test_characters_are_counted_not_bytes() -> None:
    assert length(batch(["éé", "👍"]), least=2, most=2)["drop"].to_pylist() == [None, "too short"]


def test_an_earlier_reason_stays() -> None:
    assert length(length(batch(["a"])), least=0, most=0)["drop"].to_pylist() == ["too short"]


def test_rows_columns_and_texts_stay() -> None:
    given = batch(["a", "abc", "abcde"])
    table = length(given, most=3)
    assert table.drop_columns("drop") == pa.Table.from_batches([given]).drop_columns("drop")
    assert table.schema.names == [*schema_of(Record).names, "drop"]


def test_no_rows_are_no_problem() -> None:
    assert length(batch([])).num_rows == 0


def test_the_door_knows_its_settings() -> None:
    assert door.load("curate", "length", {"least": 1, "most": 1})(batch(["ab"]))["drop"].to_pylist() == [
        "too long"
    ]
    with pytest.raises(UnknownSetting):
        door.load("curate", "length", {"most": "many"})

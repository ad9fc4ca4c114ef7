import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Passed, Record, Verdict
from openflywheel.curate.redact import redact

Opinion = tuple[str, tuple[Verdict, ...]]


def verdict(check: str, passed: Passed) -> Verdict:
    return Verdict(check=check, about="", passed=passed, n=1)


def shout(text: str) -> Opinion:
    """A guard that hides x, and refuses y and z."""
    hidden = (verdict("pii", "yes"),) if "x" in text else ()
    refused = tuple(
        verdict(check, "no") for check, mark in [("rude", "y"), ("injection", "z")] if mark in text
    )
    return text.replace("x", "<x>"), (*hidden, *refused)


def batch(texts: list[str], drops: list[str | None] | None = None) -> pa.RecordBatch:
    records = to_batch([Record(text=text, source="test") for text in texts], Record)
    return records.append_column("drop", pa.array(drops or [None] * len(texts), pa.string()))


def test_texts_come_out_as_they_may_go_on() -> None:
    table = redact(batch(["ax", "b"]), detect=shout)
    assert table["text"].to_pylist() == ["a<x>", "b"]
    assert table["drop"].to_pylist() == [None, None]


def test_a_no_drops_the_row_for_the_first_check_that_says_so() -> None:
    table = redact(batch(["xy", "zy", "z"]), detect=shout)
    assert table["drop"].to_pylist() == ["forbidden: rude", "forbidden: rude", "forbidden: injection"]
    assert table["text"][0].as_py() == "<x>y"


def test_dropped_rows_are_not_looked_at() -> None:
    seen: list[str] = []

    def note(text: str) -> Opinion:
        seen.append(text)
        return "", ()

    table = redact(batch(["a", "b"], ["too short", None]), detect=note)
    assert seen == ["b"]
    assert table["text"].to_pylist() == ["a", ""]
    assert table["drop"].to_pylist() == ["too short", None]


@given(st.lists(st.tuples(st.text("axyz", max_size=4), st.sampled_from([None, "before"])), max_size=10))
def test_no_row_is_lost_and_drops_have_a_reason(rows: list[tuple[str, str | None]]) -> None:
    given_table = pa.Table.from_batches([batch([r[0] for r in rows], [r[1] for r in rows])])
    table = redact(given_table, detect=shout)
    assert table.drop_columns(["drop", "text"]) == given_table.drop_columns(["drop", "text"])
    assert table.schema == given_table.schema
    for (text, before), after, reason in zip(
        rows, *map(pa.ChunkedArray.to_pylist, (table["text"], table["drop"])), strict=True
    ):
        assert after == (text if before else shout(text)[0])
        assert (reason is not None) == bool(before or "y" in text or "z" in text)


def test_the_door_hands_the_guards_in() -> None:
    assert door.describe("curate", "redact").handed == ("detect",)
    step = door.load("curate", "redact", handed={"detect": shout})
    assert step(batch(["x"]))["text"].to_pylist() == ["<x>"]

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate.normalise import normalise

FAMILY, HEART, KEYCAP, THUMB = "👨\u200d👩\u200d👧", "❤\ufe0f\u200d🔥", "1\ufe0f\u20e3", "👍🏽"
tricky = st.sampled_from(
    "\u200b\u200c\u200d\ufe0e\ufe0f\u202e\u2060\ufeff\xad\x00\x85\u2028\u3000👍🏽❤‼=\u0338e\u0301 \t\n\r"
)
texts = st.text(alphabet=st.one_of(tricky, st.characters(exclude_categories=["Cs"])))

pieces = st.sampled_from(
    ["```", "    ", "\t", "\n", "\n\n", "`", "x", "a b", "\u1fef", "\u200b", "\x1f", "~", " "]
)
documents = st.lists(pieces, max_size=14).map("".join)


def batch(some: list[str], drop: str | None = None) -> pa.RecordBatch:
    records = to_batch([Record(text=text, source="test") for text in some], Record)
    return records.append_column("drop", pa.array([drop] * len(some), pa.string()))


def normal(text: str) -> str:
    return str(normalise(batch([text]))["text"][0].as_py())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \t b\u3000c\xa0 ", "a b c"),
        ("a \r\n\r\n \n b\rc\u2028d", "a\n\nb\nc\nd"),
        ("a\n\n\n\n\nb\n \t \nc", "a\n\nb\n\nc"),
        ("e\u0301", "é"),
        ("e\u200b\u0301", "é"),
        ("a\u200bb\ufeffc\xadd\x00e\u202ef", "abcdef"),
        ("a \u200b b", "a b"),
        ("a\u200db\ufe0f", "ab"),
        ("hi\U000e0068\U000e0069", "hi"),
        ("\u3164\u2800\u115f", ""),
        ("\u0600\u0661", "\u0600\u0661"),
    ],
)
def test_one_spelling(text: str, expected: str) -> None:
    assert normal(text) == expected


@pytest.mark.parametrize("emoji", [FAMILY, HEART, KEYCAP, THUMB])
def test_emoji_sequences_stay_whole(emoji: str) -> None:
    assert normal(f"a {emoji}  b") == f"a {emoji} b"


def test_joiners_beside_an_emoji_go() -> None:
    assert normal("👍\u200d a") == "👍 a"
    assert normal("a\u200d👍") == "a👍"
    assert normal("👍\ufe0f\ufe0f\u200d\u200d\u200d👍") == "👍\ufe0f\u200d👍"


@settings(deadline=None)
@given(st.one_of(texts, documents))
def test_normalising_is_idempotent(text: str) -> None:
    assert normal(normal(text)) == normal(text)


CODE = "```python\ndef f(x):\n    if x:\n\treturn  1  # so\n```"


def test_code_between_fences_keeps_its_indentation() -> None:
    assert normal(f"Look  at\n\n  {CODE}  \n   then  go") == f"Look at\n\n{CODE}\nthen go"


def test_a_fence_that_never_closes_goes_on_to_the_end() -> None:
    assert normal("a  b\n```\n  c  d") == "a b\n```\n  c  d"


def test_backticks_within_a_line_are_no_fence() -> None:
    assert normal("``` a ``` b  c\n   d  e") == "``` a ``` b c\nd e"
    assert normal("a ```\n  b") == "a ```\nb"


def test_blank_lines_and_ends_of_lines_are_folded_in_code_too() -> None:
    assert normal("```\na  \n\n\n\n  b\n```") == "```\na\n\n  b\n```"


def test_rows_of_tables_stay_lines() -> None:
    assert normal("| a   | b |\n|---|---|\n| 1 | 2 |") == "| a | b |\n|---|---|\n| 1 | 2 |"


def test_a_batch_of_texts_with_and_without_code() -> None:
    table = normalise(batch(["a  b", CODE, "", "c  d"]))
    assert table["text"].to_pylist() == ["a b", CODE, "", "c d"]


@settings(deadline=None)
@given(texts)
def test_what_comes_out_is_clean(text: str) -> None:
    out = normal(text)
    assert unicodedata.is_normalized("NFC", out)
    assert out == out.strip()
    assert not any(pair in out for pair in ("\n\n\n", " \n", "\t\n"))
    if "```" not in out:
        assert not any(pair in out for pair in ("  ", "\n ", "\t"))
    assert not any(unicodedata.category(c) == "Cc" and c != "\n" for c in out)


@settings(deadline=None)
@given(st.text(alphabet="abc ABC.,é字"))
def test_visible_characters_stay(text: str) -> None:
    assert normal(text) == " ".join(text.split())


def test_dropped_rows_keep_their_text_and_nothing_else_changes() -> None:
    given_batch = batch([" a ", " b "], drop="too short")
    assert normalise(given_batch) == pa.Table.from_batches([given_batch])


def test_no_row_is_lost_or_dropped() -> None:
    table = normalise(batch(["\u200b", "a", ""]))
    assert table["text"].to_pylist() == ["", "a", ""]
    assert table["drop"].null_count == 3

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from openflywheel.base.errors import SettingsError
from openflywheel.curate._chunk.counting import Counter, counter
from openflywheel.curate._chunk.cutting import Chunk, cut

own = counter("", Path())
lines = st.sampled_from([
    "# Head\n", "### Deep\n", "Under\n=====\n", "\n", "- one\n", "  more\n", "1. two\n", "```python\n",
    "```\n", "~~~\n", "| a | b |\n", "|---|---|\n", "| long cell | 1 |\n",
    "A sentence. Another one! ", "好的。再见。",
    "plain words\n", "x" * 120, " \n", "\r\n", "é", "\x0b", "👍🏽",
])  # fmt: skip
texts = (
    st.lists(lines | st.text(max_size=30), max_size=60)
    .map("".join)
    .map(lambda text: text.encode(errors="replace").decode())
)


def bytewise() -> Counter:
    """A tokenizer that knows no words: a token a byte, joined with what stands before, like GPT-2's."""
    letters = {letter: n for n, letter in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    merges = [("Ġ", "a"), ("e", "s"), ("Ċ", "Ċ")]
    vocabulary = letters | {a + b: len(letters) + n for n, (a, b) in enumerate(merges)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)  # a part more has a token more
    return Counter(tokenizer)


def chunks(text: str, budget: int = 20, overlap: int = 0, count: Counter = own) -> list[Chunk]:
    return cut(pa.chunked_array([[text]], pa.string()), count, budget, overlap)


def said(text: str, budget: int = 20, overlap: int = 0) -> list[str]:
    return [c.text for c in chunks(text, budget, overlap)]


def bare(parts: list[Chunk]) -> str:
    return "".join(part.text[part.repeated :] for part in parts)


@settings(max_examples=150, deadline=None)
@given(texts, st.integers(16, 60), st.integers(0, 8))
def test_the_budget_holds_and_nothing_is_lost(text: str, budget: int, overlap: int) -> None:
    parts = chunks(text, budget, overlap)
    assert bare(parts) == text
    assert [p.tokens for p in parts] == own([p.text for p in parts]).tolist()
    assert all(p.tokens <= budget for p in parts)
    assert all(p.repeated < len(p.text) for p in parts)


@settings(max_examples=40, deadline=None)
@given(texts, st.integers(16, 60), st.integers(0, 8))
def test_also_where_a_whole_has_other_tokens_than_its_parts(text: str, budget: int, overlap: int) -> None:
    count = bytewise()
    assert not count.additive
    parts = chunks(text, budget, overlap, count)
    assert bare(parts) == text
    assert [p.tokens for p in parts] == count([p.text for p in parts]).tolist()
    assert all(p.tokens <= budget for p in parts)


def test_a_whole_with_more_tokens_than_its_parts_is_cut_smaller() -> None:
    class Glue(Counter):
        """Each seam costs a token: a text of n words has 2 n - 1."""

        additive = False

        def __init__(self) -> None:
            pass

        def __call__(self, texts):  # type: ignore[no-untyped-def]
            return own(["x".join(f" {word} " for word in text.split()) for text in texts])

    parts = chunks("ab\n" * 30, 20, 0, Glue())
    assert bare(parts) == "ab\n" * 30
    assert all(len(p.text.split()) <= 10 for p in parts)


def test_a_budget_that_holds_no_letter_is_refused() -> None:
    class Many(Counter):
        additive = False

        def __init__(self) -> None:
            pass

        def __call__(self, texts):  # type: ignore[no-untyped-def]
            return own(["a " * 99 * len(text) for text in texts])

    with pytest.raises(SettingsError, match="hold no letter"):
        chunks("ab", 20, 0, Many())


def test_the_highest_heading_is_cut_before() -> None:
    text = (
        "# A\n"
        + "one two three four\n" * 2
        + "## B\n"
        + "five six\n" * 3
        + "# C\n"
        + "seven eight nine\n" * 3
    )
    assert [part.split("\n")[0] for part in said(text, 24)] == ["# A", "# C"]


def test_a_heading_goes_with_what_follows() -> None:
    text = "one two three four five six seven eight nine\n\n"
    text += "# Head\n\nten eleven twelve thirteen fourteen fifteen\n"
    assert said(text, 16)[1].startswith("# Head")


def test_a_paragraph_that_fits_stays_whole() -> None:
    text = "one two three\nfour five six seven\n\n"
    text += "eight nine ten eleven\ntwelve thirteen fourteen fifteen sixteen seventeen\n"
    assert said(text, 16) == [text[: text.index("eight")], text[text.index("eight") :]]


def test_a_paragraph_that_does_not_is_cut_between_sentences() -> None:
    text = "One two three four. Five six seven eight nine ten. Eleven twelve thirteen fourteen. Fifteen."
    assert said(text, 16) == [text[: text.index("Eleven")], text[text.index("Eleven") :]]


def test_scripts_without_spaces_have_sentences_too() -> None:
    assert said("今天天气很好我们去公园吧。" * 2 + "明天可能会下雨在家里看书。", 16) == [
        "今天天气很好我们去公园吧。", "今天天气很好我们去公园吧。", "明天可能会下雨在家里看书。",
    ]  # fmt: skip


def test_a_word_without_end_is_cut_between_letters() -> None:
    text = "ab" * 40
    assert bare(chunks(text, 16)) == text
    assert len(said(text, 16)) > 1


def test_code_that_fits_stays_whole_and_its_hash_signs_are_no_headings() -> None:
    code = "```\n# one two\n\nthree four\n# five\n```\n"
    assert said(
        "one two three four five six seven eight nine ten eleven twelve\n\n" + code + "\nfive six seven\n", 24
    )[1].startswith(code)


def test_code_that_does_not_is_cut_between_lines_and_its_fence_repeated() -> None:
    parts = chunks("```sh\n" + "".join(f"run {n} now\n" for n in range(12)) + "```\n", 24)
    assert len(parts) > 1
    assert all(p.text.startswith("```sh\n") for p in parts)
    assert all("run" in p.text and p.text.endswith("\n") for p in parts)


def test_a_fence_that_nobody_closes_ends_with_its_text() -> None:
    rows = cut(pa.chunked_array([["```\n# a\n", "# b\ntext\n"]]), own, 20, 0)
    assert [r.section for r in rows] == ["", "b"]


def test_a_table_is_cut_between_rows_and_its_header_repeated() -> None:
    head = "| day | open |\n|---|---|\n"
    rows = [f"| day {n} | {n} to 17 |\n" for n in range(12)]
    parts = chunks("Hours:\n" + head + "".join(rows), 80)
    assert all(head in p.text for p in parts)
    assert len(parts) > 1
    assert [
        row for p in parts for row in p.text.splitlines(True) if row.startswith("| day ") and "to" in row
    ] == rows
    assert bare(parts) == "Hours:\n" + head + "".join(rows)


def test_a_header_as_large_as_a_quarter_is_not_repeated() -> None:
    head = "| " + " | ".join("abcdefgh") + " |\n|---|---|\n"
    parts = chunks(head + "| 1 | 2 | 3 |\n" * 12, 32)
    assert [p.repeated for p in parts] == [0] * len(parts)


def test_the_overlap_is_whole_sentences_where_they_fit() -> None:
    text = "One two three. Four five six. Seven eight nine. Ten eleven twelve. Thirteen."
    first, second = chunks(text, 16, 6)
    assert first.text.endswith("Ten eleven twelve. ")
    assert second.text == "Ten eleven twelve. Thirteen."


def test_else_whole_words() -> None:
    text = " ".join(f"w{n}" for n in range(40))
    for part in chunks(text, 20, 5)[1:]:
        assert part.repeated
        assert part.text[: part.repeated].split()[0] in text.split()


def test_several_texts_keep_their_order() -> None:
    rows = cut(pa.chunked_array([["a " * 30, "", "b"], ["c " * 30]]), own, 20, 0)
    assert [r.row for r in rows] == [0, 0, 2, 3, 3]

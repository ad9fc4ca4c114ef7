import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._chunk.lines import BLOCK, LETTERS, LINE, SENTENCE, WHOLE, WORD, Ints, lines_of
from openflywheel.curate._chunk.pieces import SENTENCES, WORDS, pieces_of


def letters(texts: list[str]) -> Ints:
    """A token a letter, white space none."""
    return np.array([len("".join(text.split())) for text in texts], np.int64)


def pieces(text: str, limit: int) -> list[tuple[str, int, int]]:
    """(text, tokens, what a cut before it breaks)."""
    lines = lines_of(pa.chunked_array([[text]], pa.string()))
    spans = zip(lines.starts[:-1].tolist(), lines.starts[1:].tolist(), strict=True)
    tokens = letters([lines.text(*span) for span in spans])
    found = pieces_of(lines, tokens, np.full(len(tokens), limit), letters)  # type: ignore[arg-type]
    texts = [lines.text(int(a), int(b)) for a, b in zip(found.starts, found.starts[1:], strict=False)]
    return list(zip(texts, found.tokens.tolist(), found.border.tolist(), strict=True))


def test_lines_that_fit_are_pieces() -> None:
    assert pieces("ab\ncd\n\nef", 5) == [
        ("ab\n", 2, WHOLE),
        ("cd\n", 2, LINE),
        ("\n", 0, LINE),
        ("ef", 2, BLOCK),
    ]


def test_a_long_line_is_cut_between_sentences() -> None:
    assert pieces("ab. cd! ef", 4) == [("ab. ", 3, WHOLE), ("cd! ", 3, SENTENCE), ("ef", 2, SENTENCE)]


def test_a_long_sentence_is_cut_between_words_and_the_others_are_not() -> None:
    assert pieces("ab cd ef. gh ij", 5) == [
        ("ab ", 2, WHOLE), ("cd ", 2, WORD), ("ef. ", 3, WORD), ("gh ij", 4, SENTENCE),
    ]  # fmt: skip


def test_a_long_word_is_cut_between_letters() -> None:
    runs = [(part, 2, LETTERS) for part in ("ef", "gh", "ij", "kl", "mn")]
    assert pieces("ab cdefghijklmn", 10) == [("ab ", 2, WHOLE), ("cd", 2, WORD), *runs]


@given(
    st.lists(st.sampled_from(["word", " ", ". ", "\n", "天。", "é", "longer" * 3, "\u3000"]), max_size=30),
    st.integers(5, 20),
)
def test_the_pieces_are_the_text_and_fit(parts: list[str], limit: int) -> None:
    found = pieces("".join(parts), limit)
    assert "".join(text for text, _, _ in found) == "".join(parts)
    assert all(tokens <= limit for _, tokens, _ in found)
    assert [tokens for _, tokens, _ in found] == letters([text for text, _, _ in found]).tolist()


def test_where_sentences_end() -> None:
    said = 'He said "Stop." Then 3.14 e.g. this… And? 好。好！(Yes.) نعم؟ لا'  # noqa: RUF001
    assert [m[0].strip() for m in SENTENCES.finditer(said)] == ['."', ".", "…", "?", "。", "！", ".)", "؟"]  # noqa: RUF001


def test_where_words_end() -> None:
    assert [m.span() for m in WORDS.finditer("a b\t\nc\u00a0d\u3000e")] == [(1, 2), (3, 5), (6, 7), (8, 9)]
    assert WORDS.search("a\x0bb") is None

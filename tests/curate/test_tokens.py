from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate import _tokens
from openflywheel.curate._characters import ALONE, DIGIT, LETTER, SYMBOL
from openflywheel.curate._tokens import Tokens, joined, passages, segments, tokens

texts = st.lists(st.text(alphabet="ab A.,'-é 字\u0e2a\u0e31\u0301\n1_", max_size=40), max_size=6)


def shown(found: Tokens, written: list[str]) -> list[list[str]]:
    pairs = list(pairwise(found.offsets.tolist()))
    starts, ends = found.starts.tolist(), (found.starts + found.lengths).tolist()
    return [
        [text[starts[i] : ends[i]] for i in range(*pair)] for text, pair in zip(written, pairs, strict=True)
    ]


def words(*written: str) -> list[list[str]]:
    return shown(tokens(pa.array(written, pa.string())), list(written))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world!", ["Hello", ",", "world", "!"]),
        (
            "don't it\u2019s 3.14 1,000 a,b e.g.",
            ["don't", "it\u2019s", "3.14", "1,000", "a", ",", "b", "e.g", "."],
        ),
        ("foo_bar _x_", ["foo_bar", "_", "x", "_"]),
        ("wait... ----- ?!", ["wait", "...", "-----", "?", "!"]),
        ("你好世界", ["你", "好", "世", "界"]),
        ("ひらがな カタカナ", ["ひ", "ら", "が", "な", "カタカナ"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("한국어 Ελλάδα русский עברית", ["한국어", "Ελλάδα", "русский", "עברית"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("❤\ufe0f❤\ufe0f", ["❤\ufe0f", "❤\ufe0f"]),
        ("x=1;", ["x", "=", "1", ";"]),
        ("𠀀𠀁", ["𠀀", "𠀁"]),
        (" \t\n\u3000", []),
        (".", ["."]),
        ("\u0301a", ["\u0301", "a"]),
    ],
)
def test_words_are_those_of_unicode(text: str, expected: list[str]) -> None:
    assert words(text) == [expected]


def test_nulls_and_empty_texts_have_none() -> None:
    found = tokens(pa.array([None, "a b", "", "c"], pa.string()))
    assert found.offsets.tolist() == [0, 0, 2, 2, 3]
    assert found.starts.tolist() == [0, 2, 0]


def test_no_texts_are_no_problem() -> None:
    found = tokens(pa.array([], pa.string()))
    assert found.offsets.tolist() == [0]
    assert len(found.hashes) == len(found.starts) == len(found.lengths) == len(found.kinds) == 0


def test_case_does_not_count_in_hashes() -> None:
    found = tokens(pa.array(["Straße STRASSE straße ΣΑΣ σας ÉTÉ été"]))
    names = found.hashes.tolist()
    assert names[0] == names[2] != names[1]
    assert names[3] == names[4]
    assert names[5] == names[6]


def test_hashes_are_the_same_on_every_machine() -> None:
    assert tokens(pa.array(["word 字"])).hashes.tolist() == [369157466513483593, 14530910797857786491]


def test_order_of_letters_counts() -> None:
    found = tokens(pa.array(["ab ba abc cba a aa aaa"])).hashes
    assert len(set(found.tolist())) == 7


def test_kinds_tell_letters_digits_and_symbols() -> None:
    found = tokens(pa.array(["a 1 a1 字 ! don't"]))
    assert found.kinds[:5].tolist() == [LETTER, DIGIT, LETTER | DIGIT, ALONE, SYMBOL]
    assert found.kinds[5] & LETTER


def test_words_leave_the_symbols_out() -> None:
    written = ["a, b!", "...", "c"]
    assert shown(tokens(pa.array(written)).words(), written) == [["a", "b"], [], ["c"]]


def test_sums_and_texts_of_tokens() -> None:
    found = tokens(pa.array(["a bb", "", "ccc"]))
    assert found.total(found.lengths).tolist() == [3, 0, 3]
    assert found.doc.tolist() == [0, 0, 2]


@settings(deadline=None)
@given(texts)
def test_a_text_has_the_same_tokens_alone_and_in_a_batch(written: list[str]) -> None:
    together = tokens(pa.array(written, pa.string()))
    for row, (first, last) in enumerate(pairwise(together.offsets.tolist())):
        alone = tokens(pa.array([written[row]], pa.string()))
        for part in ("hashes", "starts", "lengths", "kinds"):
            assert np.array_equal(getattr(together, part)[first:last], getattr(alone, part))


@settings(deadline=None)
@given(texts)
def test_every_visible_character_is_in_one_token(written: list[str]) -> None:
    for text, found in zip(written, words(*written), strict=True):
        assert "".join(found) == "".join(text.split())


@settings(deadline=None)
@given(texts, st.integers(1, 30))
def test_passages_change_nothing(written: list[str], size: int) -> None:
    whole = tokens(pa.array(written, pa.string()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_tokens, "AT_ONCE", size)
        parts = tokens(pa.array(written, pa.string()))
        assert sum(len(p.bounds) - 1 for p in passages(pa.array(written, pa.string()))) == len(written)
    assert all(np.array_equal(getattr(whole, n), getattr(parts, n)) for n in ("offsets", "hashes", "starts"))


def test_chunks_and_large_strings_are_the_same_texts() -> None:
    plain = tokens(pa.array(["a b", "c"]))
    for other in (
        pa.chunked_array([["a b"], ["c"]]),
        pa.array(["a b", "c"], pa.large_string()),
        pa.array(["x", "a b", "c"])[1:],
    ):
        assert tokens(other).hashes.tolist() == plain.hashes.tolist()


def test_a_very_long_word_is_a_word() -> None:
    found = tokens(pa.array(["x" * 100_000 + " y"]))
    assert found.lengths.tolist() == [100_000, 1]


def test_stretches_are_summed_and_joined() -> None:
    first = np.array([0, 2])
    assert segments(np.array([1, 2, 3, 4]), first).tolist() == [3, 7]
    hashes = np.array([5, 6, 5, 6, 6, 5], np.uint64)
    one, two, three = joined(hashes, np.array([0, 2, 4]))
    assert one == two != three
    assert not len(joined(hashes[:0], first[:0]))

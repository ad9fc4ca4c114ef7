"""Words as they are written, with the punctuation round them apart."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._characters import SYMBOL
from openflywheel.curate._quality.written import written
from openflywheel.curate._tokens import Tokens, passages

TEXTS = st.lists(st.text("ab1 .,-/'\"()é漢\n$@#", max_size=20), min_size=1, max_size=4)


def found(*texts: str) -> tuple[str, Tokens]:
    (passage,) = passages(pa.array(texts))
    return "".join(map(chr, passage.codes.tolist())), written(passage.codes, passage.tokens)


def words(text: str) -> list[str]:
    whole, tokens = found(text)
    return [whole[start : start + n] for start, n in zip(tokens.starts, tokens.lengths, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   \n ", []),
        ("word", ["word"]),
        ("two words", ["two", "words"]),
        ("Hello, world!", ["Hello", ",", "world", "!"]),
        ("(see below)", ["(", "see", "below", ")"]),
        ("don't", ["don't"]),
        ("3.14", ["3.14"]),
        ("and/or", ["and", "/", "or"]),
        ("24/7", ["24/7"]),
        ("well-known", ["well", "-", "known"]),
        ("2024-03-05", ["2024", "-", "03", "-", "05"]),
        ("a@b.org", ["a@b.org"]),
        ("/etc", ["/etc"]),
        ("@user", ["@user"]),
        ("!!!", ["!", "!", "!"]),
        ("...", ["..."]),
        ("wait...", ["wait", "..."]),
        ("漢字", ["漢", "字"]),
        ("(", ["("]),
        ("a.", ["a", "."]),
        (".a", [".", "a"]),
    ],
)
def test_words_are_split_as_a_tokeniser_does(text, expected):
    assert words(text) == expected


@given(TEXTS)
def test_every_visible_character_is_in_just_one_word(texts):
    whole, tokens = found(*texts)
    covered = np.zeros(len(whole), int)
    for start, length in zip(tokens.starts, tokens.lengths, strict=True):
        covered[start : start + length] += 1
    assert covered.tolist() == [int(not character.isspace()) for character in whole]
    assert (np.diff(tokens.starts) > 0).all()
    assert (tokens.lengths > 0).all()


@given(TEXTS)
def test_a_text_has_the_same_words_beside_others_as_alone(texts):
    _, together = found(*texts)
    for number, text in enumerate(texts):
        _, alone = found(text)
        part = slice(together.offsets[number], together.offsets[number + 1])
        assert together.hashes[part].tolist() == alone.hashes.tolist()
        assert together.kinds[part].tolist() == alone.kinds.tolist()
        assert together.lengths[part].tolist() == alone.lengths.tolist()
    assert together.offsets[-1] == len(together.hashes)


def test_words_are_equal_whatever_their_capitals_and_place_and_others_are_not():
    texts = ("A link: x.org, then X.Org! a", "link y.org")
    _, tokens = found(*texts)
    said = [word.lower() for text in texts for word in words(text)]
    assert said.count("x.org") == said.count("link") == said.count("a") == 2
    assert len({*zip(said, tokens.hashes.tolist(), strict=True)}) == len({*said})
    assert len({*tokens.hashes.tolist()}) == len({*said})


def test_a_run_of_punctuation_counts_each_character_with_the_hash_of_one():
    _, tokens = found("!!! ! ?")
    assert tokens.lengths.tolist() == [1] * 5
    assert len(set(tokens.hashes[:3].tolist())) == 1
    assert tokens.hashes[4] not in tokens.hashes[:3]
    assert (tokens.kinds & SYMBOL > 0).all()


def test_one_mark_is_the_same_alone_and_in_a_run():
    _, tokens = found("! !!")
    assert len(set(tokens.hashes.tolist())) == 1

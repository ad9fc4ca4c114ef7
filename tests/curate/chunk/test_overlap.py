from collections.abc import Sequence

import numpy as np

from openflywheel.curate._chunk.lines import Ints
from openflywheel.curate._chunk.overlap import REACH, overlaps


def words(texts: Sequence[str]) -> Ints:
    return np.array([len(text.split()) for text in texts], np.int64)


def end(text: str, tokens: int) -> tuple[str, int]:
    [found] = overlaps([text], tokens, words)
    return found


def test_whole_sentences_that_fit_are_repeated() -> None:
    assert end("One two. Three four. Five six.", 4) == ("Three four. Five six.", 4)
    assert end("One two. Three four. Five six.", 5) == ("Three four. Five six.", 4)


def test_else_whole_words() -> None:
    assert end("one two three four five", 2) == ("four five", 2)
    assert end("One two. Three four five six.", 3) == ("four five six.", 3)


def test_never_the_whole_text_and_no_half_word() -> None:
    assert end("one two", 9) == ("two", 1)
    assert end("x" * 99, 9) == ("", 0)
    text = "y" * (REACH * 4) + " one two"
    assert end(text, 4) == ("one two", 2)


def test_each_text_has_its_own() -> None:
    assert overlaps(["a b c", "", "d e f"], 1, words) == [("c", 1), ("", 0), ("f", 1)]


def test_none_of_none() -> None:
    assert overlaps([], 5, words) == []

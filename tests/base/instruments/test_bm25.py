import bm25s
import numpy as np
import pytest

from openflywheel.base.instruments.bm25 import WORDS, Bm25, words
from openflywheel.customize._retriever.lexical import index

TEXTS = ["the red kettle boils water", "a blue kettle", "red red wine", "", "Straße zum WASSER, water!"]


@pytest.fixture(scope="module")
def made():
    return index(TEXTS)


def test_words_are_lower_case_and_longer_than_a_character():
    assert words("A Red-Kettle, 2 l; STRASSE Straße ﬁne") == ["red", "kettle", "strasse", "strasse", "fine"]


def test_scores_are_those_of_the_library(made):
    library = bm25s.BM25(method="lucene")
    library.index([words(text) for text in TEXTS], create_empty_token=False, show_progress=False)
    for question in ("red kettle", "water", "wine"):
        assert made.search(question)[0] == pytest.approx(library.get_scores(words(question)))


def test_the_text_with_the_rarer_words_comes_first(made):
    assert made.search("red wine")[0].argmax() == 2
    assert made.search("blue kettle")[0].argmax() == 1
    assert made.search("wasser in der strasse")[0].argmax() == 4


def test_the_share_of_words_in_common_leaves_out_words_that_nobody_has(made):
    _, share = made.search("blue kettle zeppelin")
    assert share[1] == pytest.approx(1)
    assert 0 < share[0] < 0.5
    assert share[2] == 0


def test_repeating_a_word_in_a_question_changes_nothing(made):
    assert np.array_equal(made.search("red red red kettle")[0], made.search("kettle red")[0])


@pytest.mark.parametrize("question", ["", "zeppelin", "a", "?!"])
def test_a_question_without_known_words_finds_nothing(made, question):
    score, share = made.search(question)
    assert score.shape == share.shape == (len(TEXTS),)
    assert not score.any()
    assert not share.any()


def test_it_comes_back_from_an_artefact_as_it_was(made):
    read = Bm25.read(made.tensors(), made.words_file(), made.size)
    assert read.places == made.places
    assert np.array_equal(read.search("red water")[0], made.search("red water")[0])
    assert WORDS.endswith(".json")

"""The commonest words of a language, counted in texts."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._quality.stop_words import (
    ENOUGH,
    LANGUAGES,
    UNKNOWN,
    WITHOUT_LIST,
    WORDS,
    counted,
    numbers,
)
from openflywheel.curate._quality.text import Text
from openflywheel.curate._tokens import passages


def count(*pairs: tuple[str, str | None]) -> list[int]:
    """How many stop words each (text, language) has."""
    (passage,) = passages(pa.array([text for text, _ in pairs]))
    languages = np.array([language for _, language in pairs], object)
    return counted(Text(passage), numbers(languages)).tolist()


def test_every_language_has_eight_different_words():
    assert {language: len(set(words.split())) for language, words in WORDS.items()} == dict.fromkeys(WORDS, 8)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_list_is_found_whole_in_itself(language):
    assert count((WORDS[language], language), (WORDS[language].upper(), language)) == [8, 8]


def test_each_word_counts_once():
    assert count(("the the THE, the of", "en"), ("of and", "en"), ("nothing here", "en")) == [2, 2, 0]


def test_a_part_of_a_word_is_none():
    assert count(("other often beyond toffee", "en"), ("the-of", "en"), ("don't", "en")) == [0, 2, 0]


def test_the_own_list_counts_where_the_language_is_known():
    german = "der Hund und die Katze sind in dem Haus"
    assert count((german, "de"), (german, "en"), (german, "fi")) == [4, 0, 0]


@pytest.mark.parametrize("unknown", [None, "und", "", "UND"])
def test_of_an_unknown_language_the_best_list_counts(unknown):
    assert count(("der Hund und die Katze sind in dem Haus", unknown), ("xyz", unknown)) == [4, 0]


def test_a_language_without_a_list_has_enough():
    assert count(("whatever", "eo"), ("", "tlh")) == [ENOUGH, ENOUGH]


@pytest.mark.parametrize(
    ("language", "number"),
    [
        ("en", LANGUAGES.index("en")),
        ("en-GB", LANGUAGES.index("en")),
        ("EN-us", LANGUAGES.index("en")),
        ("zh-Hant-TW", LANGUAGES.index("zh")),
        ("und", UNKNOWN),
        (None, UNKNOWN),
        ("", UNKNOWN),
        ("eo", WITHOUT_LIST),
        ("english", WITHOUT_LIST),
    ],
)
def test_a_language_is_known_by_its_first_tag(language, number):
    assert numbers(np.array([language], object)).tolist() == [number]


def test_no_languages_have_no_numbers():
    assert numbers(np.array([], object)).tolist() == []


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([*WORDS["en"].split(), *WORDS["de"].split(), "parcel"])).map(" ".join),
            st.sampled_from(["en", "de", None, "eo"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_texts_do_not_mix_and_the_count_is_that_of_sets(pairs):
    def plain(text: str, language: str | None) -> int:
        said = set(text.split())
        each = {name: len(said & set(words.split())) for name, words in WORDS.items()}
        return ENOUGH if language == "eo" else each[language] if language else max(each.values())

    assert count(*pairs) == [plain(*pair) for pair in pairs]

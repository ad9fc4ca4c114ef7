from openflywheel.signals._words import MOST, words_of


def test_words_have_neither_case_nor_punctuation():
    assert words_of("Don't, STOP: Straße 7!") == ["don", "t", "stop", "strasse", "7"]
    assert words_of(" ... ") == []


def test_of_a_long_text_the_beginning_counts():
    assert len(words_of("a " * (MOST + 9))) == MOST

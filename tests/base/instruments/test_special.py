"""Special tokens in what people write."""

from openflywheel.base.instruments.special import special, without

FOUND = special(["<|end|>", "<|user|>", "<|user|>!", ""])


def test_each_is_a_blank():
    assert without("hi<|end|><|user|>yes", FOUND) == "hi  yes"


def test_halves_that_come_together_are_none():
    assert without("<|<|end|>end|>", FOUND) == "<| end|>"


def test_of_two_that_begin_alike_the_longer_one_counts():
    assert without("a<|user|>!b", FOUND) == "a b"


def test_their_names_are_no_expressions():
    assert without("aab a+b", special(["a+b"])) == "aab  "


def test_without_names_a_text_stays():
    assert without("hi<|end|>", special([])) == "hi<|end|>"

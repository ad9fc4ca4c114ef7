"""How sure an answer is, in the words of its kind."""

import pytest

from openflywheel.base.nouns import Exchange
from openflywheel.window._sureness import sureness


@pytest.mark.parametrize(
    ("output", "confidence", "choices", "said"),
    [
        ("refund", 0.824, ("refund", "login"), "82% sure"),
        ("refund", 1.0, ("refund",), "100% sure"),
        ("a quote", 0.61, (), "61% sure"),
        ("988.177", 1.0, ("744", "1235.5"), "744 to 1235.5"),
        ("a text that a model wrote", 1.0, (), ""),
        ("kb7\nkb5", 1.0, ("kb7", "kb5"), ""),
        ("2", 0.7, ("2", "1"), "70% sure"),
    ],
)
def test_it_is_said_by_the_kind_of_answer(output, confidence, choices, said):
    answered = Exchange(
        episode="", task="t", input="q", output=output, variant="m", confidence=confidence, choices=choices
    )
    assert sureness(answered) == said

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._extract.letters import COMMA, DENSE, DIGIT, END, SPACE, UPPER, letters


def test_characters_are_counted_by_class() -> None:
    counted = letters(["Hello, World 42!", "a"])
    assert counted.characters.tolist() == [16, 1]
    assert counted.counts[[COMMA, END, DIGIT, SPACE, UPPER, DENSE], 0].tolist() == [1, 1, 2, 2, 2, 0]
    assert not counted.counts[:, 1].any()
    assert counted.last.tolist() == [END, 0]


def test_signs_of_other_scripts_count_as_well() -> None:
    counted = letters(
        ["\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\u0645\u0631\u062d\u0628\u0627\u060c", "\u0391\u03b1"]
    )
    assert counted.counts[COMMA].tolist() == [1, 1, 0]
    assert counted.counts[END].tolist() == [1, 0, 0]
    assert counted.counts[UPPER].tolist() == [0, 0, 1]


def test_a_character_of_a_dense_script_counts_three() -> None:
    assert letters(["\u4f60\u597d", "ab"]).size.tolist() == [6, 2]


def test_characters_beyond_the_basic_plane_are_of_no_class() -> None:
    assert not letters(["\U0001f600\U0001f600"]).counts.any()


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_text_is_counted_alike_in_any_company(texts: list[str]) -> None:
    together = letters(texts)
    for number, text in enumerate(texts):
        alone = letters([text])
        assert np.array_equal(together.counts[:, number], alone.counts[:, 0])
        assert together.last[number] == alone.last[0]
        assert together.size[number] == alone.size[0]

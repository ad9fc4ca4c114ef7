"""Counting words is counting the tokens that are words."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._tokens import tokens
from openflywheel.curate._wordcount import word_counts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one", 1),
        ("don't stop", 2),
        ("3.14 1,000 a,b", 4),
        ("snake_case _x x_", 3),
        ("...!?", 0),
        ("e.g. x", 2),
        ("grüße dich", 2),
        ("你好", 2),
    ],
)
def test_words_of_a_text(text, words):
    assert word_counts(pa.array([text])).tolist() == [words]


LETTERS = "aZ19.,'_·\u2019 -\n\té你\u0301"


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(LETTERS, max_size=12), st.text(max_size=9))))
def test_they_are_as_many_as_the_tokens_that_are_words(texts):
    column = pa.array(texts, pa.string())
    assert word_counts(column).tolist() == np.diff(tokens(column).words().offsets).tolist()
    chunked = pa.chunked_array([column[:2], column[2:]])
    assert word_counts(chunked).tolist() == word_counts(column).tolist()

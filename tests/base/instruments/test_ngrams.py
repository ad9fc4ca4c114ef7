"""Hashed n-grams: equal everywhere, normalised for any text, near for near texts."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from openflywheel.base.instruments.ngrams import CHARACTERS, NgramEncoder

ODD = [
    "",
    " \n\t",
    "\0",
    "a\0b",
    "🙂",
    "👩‍👩‍👧‍👦 🇩🇪",
    "\ud800 lone",
    "?!",
    "日本語のテキスト",
    "a",
    "x" * 1_000_000,
]
# As gzip knows it: printf '<ab' | gzip -c | tail -c8 | od -An -tu4 -N4
CRC32 = {
    "ab": 2659403885,
    " ab": 408339808,
    "ab ": 3673248232,
    "<ab": 225091444,
    "ab>": 553544843,
    "<ab>": 1141255580,
}
PROGRAM = """
import hashlib
from openflywheel.base.instruments.ngrams import NgramEncoder
print(hashlib.sha256(NgramEncoder().encode(["My card hasn't arrived, ärgerlich 🙂"]).tobytes()).hexdigest())
"""


@pytest.fixture
def encoder() -> NgramEncoder:
    return NgramEncoder()


def in_another_process(seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": seed}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_vectors_are_the_same_in_every_process(encoder):
    here = encoder.encode(["My card hasn't arrived, ärgerlich 🙂"])
    assert {in_another_process(seed) for seed in ("0", "1", "4711")} == {
        hashlib.sha256(here.tobytes()).hexdigest()
    }


def test_vectors_are_the_same_on_every_machine(encoder):
    """The six n-grams of 'ab' stand where another program's CRC-32 puts them."""
    (vector,) = encoder.encode(["ab"])
    assert np.flatnonzero(vector).tolist() == sorted({hashed % 1024 for hashed in CRC32.values()})
    for ngram, hashed in CRC32.items():
        assert np.sign(vector[hashed % 1024]) == (1 if hashed >= 2**31 else -1), ngram


@pytest.mark.parametrize("text", ODD)
def test_any_text_has_a_vector_of_length_one(encoder, text):
    vectors = encoder.encode([text])
    assert vectors.dtype == np.float32
    assert vectors.shape == (1, encoder.width)
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-6)


def test_no_text_gives_no_row(encoder):
    assert encoder.encode([]).shape == (0, encoder.width)


def test_texts_do_not_depend_on_each_other(encoder):
    texts = ["first text", "second", "first text"]
    together = encoder.encode(texts)
    np.testing.assert_array_equal(together, np.concatenate([encoder.encode([text]) for text in texts]))


def test_case_and_unicode_form_do_not_matter_but_words_do(encoder):
    composed, decomposed, wide, other = encoder.encode(["CAFÉ ok", "cafe\u0301 OK", "ｃａｆé ok", "cave ok"])
    np.testing.assert_array_equal(composed, decomposed)
    np.testing.assert_array_equal(composed, wide)
    assert composed @ other < 0.9


def test_repeats_count_by_their_logarithm(encoder):
    (vector,) = np.abs(encoder.encode(["ab ab ab"]))
    thrice, once = vector[CRC32["ab"] % 1024], vector[CRC32[" ab"] % 1024]
    assert thrice / once == pytest.approx(1 + np.log(3), rel=1e-5)


def test_misspelt_and_inflected_words_stay_near(encoder):
    text, near, far = encoder.encode(
        ["cancel my transfer", "cancelling my transfers", "exchange rate abroad"]
    )
    assert text @ near > 0.4
    assert abs(text @ far) < 0.15


def test_word_order_matters_a_little(encoder):
    one, other = encoder.encode(["dog bites man", "man bites dog"])
    assert 0.6 < one @ other < 0.95


def test_characters_past_the_limit_are_not_read(encoder):
    start = "ab " * (CHARACTERS // 3 + 1)
    np.testing.assert_array_equal(*encoder.encode([start[:CHARACTERS], start[:CHARACTERS] + "changed"]))

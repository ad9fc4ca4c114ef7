from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from openflywheel.base.ids import content_id
from openflywheel.store.vectors import FLUSH_AT, CachedEncoder

ODD = ["", "\0", "a\0b", "Müller", "\U0001f600", "x" * 100_000]


class Hashed:
    """An encoder that needs no weights: a random direction a text, always the same."""

    def __init__(self, name: str = "hashed", width: int = 24) -> None:
        self.name, self.width = name, width
        self.asked: Counter[str] = Counter()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.update(texts)
        seeds = [int(content_id(self.name, t)[:12], 16) for t in texts]
        made = [np.random.default_rng(s).normal(size=self.width) for s in seeds]
        return np.array([v / np.linalg.norm(v) for v in made], np.float32)


@pytest.fixture
def cached(tmp_path):
    made = CachedEncoder(Hashed(), tmp_path / "vectors.db")
    yield made
    made.close()


def as_kept(texts: Sequence[str], **like) -> NDArray[np.float32]:
    return Hashed(**like).encode(texts).astype(np.float16).astype(np.float32)


def test_cached_vectors_equal_computed_ones_to_half_precision(cached):
    for _ in range(2):
        vectors = cached.encode(ODD)
        assert vectors.dtype == np.float32
        assert np.array_equal(vectors, as_kept(ODD))
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=2e-3)


def test_each_text_is_computed_once_and_comes_in_the_order_of_the_question(cached, tmp_path):
    encoder = cached._encoder
    cached.encode(["a", "b", "a"])
    assert np.array_equal(cached.encode(["c", "b", "a", "b"]), as_kept(["c", "b", "a", "b"]))
    assert encoder.asked == {"a": 1, "b": 1, "c": 1}


def test_no_texts_give_no_vectors(cached):
    assert cached.encode([]).shape == (0, 24)


def test_vectors_survive_closing(tmp_path, cached):
    texts = [str(n) for n in range(FLUSH_AT + 10)]  # some written on the way, the rest at the end
    cached.encode(texts)
    cached.close()
    encoder = Hashed()
    again = CachedEncoder(encoder, tmp_path / "vectors.db")
    assert np.array_equal(again.encode(texts), as_kept(texts))
    assert not encoder.asked
    again.close()


def test_closing_twice_is_harmless(cached):
    cached.encode(["a"])
    cached.close()
    cached.close()


def test_another_encoder_has_its_own_vectors(tmp_path, cached):
    cached.encode(["a"])
    cached.close()
    other = CachedEncoder(Hashed("other", 8), tmp_path / "vectors.db")
    assert np.array_equal(other.encode(["a"]), as_kept(["a"], name="other", width=8))
    other.close()


def test_many_threads_ask_at_once(cached):
    texts = [[str((7 * t + n) % 900) for n in range(300)] for t in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(cached.encode, texts))
    assert all(np.array_equal(a, as_kept(t)) for a, t in zip(answers, texts, strict=True))


def test_two_caches_on_one_file_share_what_they_know(tmp_path, cached):
    texts = [str(n) for n in range(FLUSH_AT)]
    cached.encode(texts)
    encoder = Hashed()
    other = CachedEncoder(encoder, tmp_path / "vectors.db")
    assert np.array_equal(other.encode(texts), as_kept(texts))
    assert not encoder.asked
    other.close()


def test_an_encoder_that_fails_leaves_the_cache_as_it_was(tmp_path):
    class Failing(Hashed):
        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            if "bad" in texts:
                raise MemoryError
            return super().encode(texts)

    cached = CachedEncoder(Failing(), tmp_path / "vectors.db")
    with pytest.raises(MemoryError):
        cached.encode(["a", "bad"])
    assert np.array_equal(cached.encode(["a"]), as_kept(["a"]))
    cached.close()

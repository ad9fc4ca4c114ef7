import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from openflywheel.curate._duplicates.cosine import TABLES, alike, keys, matrix, signs


def units(count: int, width: int = 64, seed: int = 0) -> NDArray[np.float32]:
    raw = np.random.default_rng(seed).standard_normal((count, width))
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def turned(vectors: NDArray[np.float32], cosine: float) -> NDArray[np.float32]:
    """Vectors at exactly that cosine to the given ones, in random directions."""
    aside = units(*vectors.shape, seed=1)
    aside -= (aside * vectors).sum(1, keepdims=True) * vectors
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    return cosine * vectors + np.sqrt(1 - cosine**2) * aside


def lists(vectors: NDArray[np.float32]) -> pa.Array:
    return pa.array(list(vectors.astype(np.float16)), pa.list_(pa.float16()))


@pytest.mark.parametrize("similarity", [0.8, 0.9, 0.97])
@pytest.mark.parametrize("width", [64, 384])
def test_pairs_that_are_just_similar_enough_meet(similarity: float, width: int) -> None:
    """Of 2,000 pairs the theory finds at least 1,900; three deviations below are 1,870."""
    left = units(2000, width)
    met = (keys(left, similarity) == keys(turned(left, similarity), similarity)).any(axis=1)
    assert met.sum() >= 1870


def test_unlike_vectors_seldom_meet() -> None:
    """Pairs at a right angle share a key once in 24 / 2**26 times: here .4 of a million."""
    found = keys(units(1000), 0.97).ravel()
    assert len(np.unique(found)) >= len(found) - 5


@pytest.mark.parametrize("similarity", [0.5, 0.8, 0.97])
def test_keys_are_as_fine_as_recall_allows(similarity: float) -> None:
    together = 1 - np.arccos(similarity) / np.pi
    finds = [1 - (1 - together**size) ** TABLES for size in (signs(similarity), signs(similarity) + 1)]
    assert finds[0] >= 0.95 > finds[1]


@pytest.mark.parametrize("similarity", [0.0, 1.0])
def test_the_ends_of_the_scale_are_settings_too(similarity: float) -> None:
    vectors = units(3)
    assert (keys(vectors, similarity) == keys(vectors.copy(), similarity)).all()


def test_a_vector_has_the_same_keys_in_any_company() -> None:
    vectors = units(50)
    apart = np.concatenate([keys(vectors[:1], 0.97), keys(vectors[1:7], 0.97), keys(vectors[7:], 0.97)])
    assert (apart == keys(vectors, 0.97)).all()


def test_keys_of_all_tables_differ() -> None:
    """A vector without length is on the same side of all planes, in every table."""
    assert len(set(keys(np.zeros((1, 8), np.float32), 0.97)[0].tolist())) == TABLES


def test_no_vectors_have_no_keys() -> None:
    assert keys(np.empty((0, 8), np.float32), 0.97).shape == (0, TABLES)


def test_alike_is_the_cosine_itself() -> None:
    left = units(500)
    assert alike(lists(left), lists(turned(left, 0.98)), 0.97).all()
    assert not alike(lists(left), lists(turned(left, 0.96)), 0.97).any()
    assert alike(lists(left), lists(left), 0.999).all()


def test_vectors_come_back_as_they_went() -> None:
    vectors = units(4)
    assert (
        matrix(pa.chunked_array([lists(vectors[:1]), lists(vectors[1:])])) == vectors.astype(np.float16)
    ).all()

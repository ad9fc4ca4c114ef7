"""Kernels, chances, and classes in order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from openflywheel.base.instruments.vectors import classes, similarity, softmax

finite = st.floats(-50, 50, width=32)


def unit(rows, width, seed=0):
    x = np.random.default_rng(seed).normal(size=(rows, width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def test_similarity_is_one_for_the_same_and_falls_with_the_angle():
    x = unit(6, 4)
    found = similarity(x, x, 3.0)
    assert np.diag(found) == pytest.approx(np.ones(6), abs=1e-5)
    assert found == pytest.approx(found.T, abs=1e-6)
    cosines = (x @ x.T)[0]
    assert (np.argsort(found[0]) == np.argsort(cosines)).all()
    assert similarity(x[:1], -x[:1], 3.0)[0, 0] == pytest.approx(np.exp(-6), rel=1e-4)


@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=finite), finite)
def test_softmax_sums_to_one_keeps_the_order_and_ignores_a_shift(scores, shift):
    found = softmax(scores)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(scores)), abs=1e-5)
    assert (found[np.arange(len(scores)), scores.argmax(axis=1)] == found.max(axis=1)).all()
    assert softmax(scores + np.float32(shift)) == pytest.approx(found, abs=1e-3)


def test_softmax_of_huge_scores_is_finite():
    assert softmax(np.array([[1e30, 0, -1e30]], np.float32)).tolist() == [[1, 0, 0]]


@given(st.lists(st.text(), max_size=20))
def test_classes_are_the_labels_in_order_with_each_ones_place(labels):
    names, places = classes(labels)
    assert list(names) == sorted(set(labels))
    assert [names[i] for i in places] == labels

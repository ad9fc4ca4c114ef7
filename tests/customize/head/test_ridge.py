"""Ridge regression with folds that are left out in closed form."""

import numpy as np
import pytest

from openflywheel.base.instruments.vectors import similarity
from openflywheel.customize._fitting import GAMMA, MOST_KERNEL_ROWS
from openflywheel.customize._head.ridge import FOLDS, best, folds_of, kernel, linear


def material(n=90, targets=2, width=12, seed=0):
    """Unit vectors, targets that lean on them, weights, and folds."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, width))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    y = x @ random.normal(size=(width, targets)) + 0.1 * random.normal(size=(n, targets)) + 5
    return x, y, random.uniform(0.3, 3, n).astype(np.float32), folds_of([str(i) for i in range(n)])


def said(fit, x, column):
    seen = x if fit.support is None else similarity(x, fit.support, fit.gamma).astype(np.float64)
    return seen @ fit.weights[..., column] + fit.bias[:, column]


@pytest.mark.parametrize("way", [linear, kernel])
def test_a_fold_is_said_by_a_column_that_never_saw_it(way):
    x, y, w, folds = material()
    fit = way(x, y, w, folds, 0.5)
    assert fit.weights.shape[1:] == (2, FOLDS + 1)
    for fold in (1, 4, FOLDS):
        part = folds == fold
        np.testing.assert_allclose(said(fit, x[part], fold), fit.held_out[part], atol=1e-5)


@pytest.mark.parametrize("way", [linear, kernel])
def test_what_is_said_of_a_fold_does_not_depend_on_its_targets(way):
    x, y, w, folds = material()
    other = y.copy()
    other[folds == 3] = y.mean(axis=0)
    shift = 0.0 if way is linear else 0.3  # the kernel's middle is that of all rows
    one, changed = way(x, y, w, folds, 0.5), way(x, other, w, folds, 0.5)
    np.testing.assert_allclose(
        one.held_out[folds == 3],
        changed.held_out[folds == 3],
        atol=1e-6 + shift * np.abs(y - other).max() / 9,
    )


def test_the_block_form_equals_leaving_out():
    x, y, w, folds = material()
    fit = kernel(x, y, w, folds, 0.5)
    keep = folds != 2
    root = np.sqrt(w[keep].astype(float))[:, None]
    matrix = root * (similarity(x[keep], x[keep], GAMMA) + 1) * root.T + 0.5 * np.eye(keep.sum())
    middle = np.average(y, axis=0, weights=w)
    alpha = root * np.linalg.solve(matrix, root * (y[keep] - middle))
    refit = (similarity(x[~keep], x[keep], GAMMA) + 1) @ alpha + middle
    np.testing.assert_allclose(fit.held_out[~keep], refit, atol=1e-5)


@pytest.mark.parametrize("way", [linear, kernel])
def test_a_row_of_weight_two_is_two_rows(way):
    x, y, _, folds = material(n=30)
    w = np.ones(30, np.float32)
    w[4] = 2
    twice = way(
        np.vstack([x, x[4:5]]),
        np.vstack([y, y[4:5]]),
        np.ones(31, np.float32),
        np.append(folds, folds[4]),
        0.5,
    )
    probe = material(seed=3)[0]
    np.testing.assert_allclose(said(way(x, y, w, folds, 0.5), probe, 0), said(twice, probe, 0), atol=1e-6)


def test_the_scale_and_the_middle_of_targets_do_not_matter():
    x, y, w, folds = material()
    plain, moved = (best(x, target, w, folds) for target in (y, 1_000 * y - 7_000))
    assert plain.method == moved.method
    np.testing.assert_allclose(moved.held_out, 1_000 * plain.held_out - 7_000, rtol=1e-6, atol=0.1)


def test_the_best_has_the_lowest_held_out_error():
    x, y, w, folds = material()
    chosen = best(x, y, w, folds)
    for way in (linear, kernel):
        for ridge in (0.1, 0.5, 2.0):
            tried = way(x, y, w, folds, ridge)
            assert (w @ (chosen.held_out - y) ** 2).sum() <= (w @ (tried.held_out - y) ** 2).sum() + 1e-9


def test_bent_targets_want_a_kernel_and_many_rows_a_line():
    x, _, w, folds = material(n=300, width=3)
    bent = (x[:, :1] ** 2 - x[:, 1:2] ** 2).astype(float)
    assert best(x, bent, w, folds).method == "kernel_ridge"
    n = MOST_KERNEL_ROWS + 1
    many = np.tile(x, (n // 300 + 1, 1))[:n]
    assert (
        best(many, many[:, :1].astype(float), np.ones(n), folds_of([str(i) for i in range(n)])).method
        == "ridge"
    )


def test_a_persons_rows_lie_in_one_fold():
    people = [f"p{i % 25}" for i in range(200)]
    folds = folds_of(people)
    assert set(folds.tolist()) == set(range(1, FOLDS + 1))
    assert all(len({folds[i] for i in range(200) if people[i] == person}) == 1 for person in set(people))


def test_few_people_have_few_folds_and_one_person_is_judged_by_rows():
    folds = folds_of(["one", "two"] * 50)
    assert sorted(set(zip(folds.tolist(), [0, 1] * 50, strict=True))) in ([(1, 0), (2, 1)], [(1, 1), (2, 0)])
    assert np.bincount(folds_of(["one"] * 100))[1:].tolist() == [10] * FOLDS

import numpy as np
import pytest

from openflywheel.curate._labels.confident import FOLDS, doubtful

WIDTH, K = 16, 4


def planted(n: int, rate: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors around K centres, true labels, given ones with a share moved, folds."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, K, n)
    vectors = np.eye(WIDTH)[truth] + random.normal(scale=0.12, size=(n, WIDTH))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    moved = random.random(n) < rate
    given = np.where(moved, (truth + random.integers(1, K, n)) % K, truth)
    return vectors.astype(np.float32), truth, given, random.integers(0, FOLDS, n)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
def test_planted_errors_are_found_and_the_right_label_is_named(rate: float) -> None:
    vectors, truth, given, folds = planted(600, rate)
    wrong, instead = doubtful(vectors, given, K, folds)
    errors = given != truth
    assert (wrong & errors).sum() / errors.sum() > 0.85
    assert (wrong & errors).sum() / wrong.sum() > 0.9
    assert np.mean(instead[wrong & errors] == truth[wrong & errors]) > 0.95


def test_clean_labels_are_believed() -> None:
    vectors, _, given, folds = planted(600, 0.0)
    assert not doubtful(vectors, given, K, folds)[0].any()


def test_the_other_label_is_never_the_given_one() -> None:
    vectors, _, given, folds = planted(300, 0.2)
    assert (doubtful(vectors, given, K, folds)[1] != given).all()


def test_nothing_is_said_of_a_label_that_other_folds_do_not_know() -> None:
    vectors, truth, given, folds = planted(600, 0.0)
    folds = np.where(truth == 0, 0, folds)  # all of one label by one person
    assert not doubtful(vectors, given, K, folds)[0].any()
    rare = given.copy()
    rare[:2] = K  # two rows of a fifth label
    assert not doubtful(vectors, rare, K + 1, folds)[0][:2].any()


def test_a_fold_does_not_judge_itself() -> None:
    """One person's rows that are all wrong are seen by the rest, however alike they are."""
    vectors, truth, given, folds = planted(600, 0.0)
    folds = np.where(folds == 0, 1, folds)
    one = np.flatnonzero(truth == 1)[:40]
    given[one], folds[one] = 2, 0
    wrong, instead = doubtful(vectors, given, K, folds)
    assert wrong[one].mean() > 0.9
    assert (instead[one] == 1).mean() > 0.9


def test_memory_is_bounded_without_another_result(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _, given, folds = planted(300, 0.1)
    once = doubtful(vectors, given, K, folds)
    monkeypatch.setattr("openflywheel.curate._labels.confident.AT_ONCE", 17)
    again = doubtful(vectors, given, K, folds)
    assert (once[0] == again[0]).all()
    assert (once[1] == again[1]).all()

"""Confident learning: which labels a model that never saw them does not believe.

Northcutt, Jiang & Chuang 2021 (Journal of AI Research 70, arXiv:1911.00068): the confident joint counts rows
by given and by confidently predicted label; rows go that are pruned both by class and by noise rate.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from openflywheel.base.instruments.calibration import fit_sharpness
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.instruments.vectors import Matrix, softmax

Places = NDArray[np.intp]
Wide = NDArray[np.float64]

# A ridge head on random Fourier features (Rahimi & Recht 2007): Gaussian kernel exp(GAMMA (cosine - 1)), a
# little better than on the vectors themselves.
GAMMA, RIDGE, FEATURES = 1.0, 0.1, 1000
FOLDS = 5
LEAST = 3  # rows of a label outside a fold, below which nothing is said about it in that fold
AT_ONCE = 4_096  # rows whose features are in memory: 33 MB


def doubtful(vectors: Matrix, given: Places, k: int, folds: Places) -> tuple[NDArray[np.bool_], Places]:
    """Which of the labels `given` (0 to k - 1) are likely wrong, and the likeliest other label of each row.

    vectors: shape (n, width), rows of length 1. folds: 0 to FOLDS - 1; rows of one do not judge each other.
    """
    with one_thread():
        scores = _held_out(vectors, given, k, folds)
    sharpness, _ = fit_sharpness(scores, given)
    p = softmax(scores * np.float32(sharpness)).astype(np.float64)
    rows = np.arange(len(given))
    own = p[rows, given]
    count = np.zeros((FOLDS, k), np.int64)
    np.add.at(count, (folds, given), 1)
    known = (count.sum(axis=0) - count)[folds, given] >= LEAST
    wrong = _pruned(p, own, given, known)
    p[rows, given] = -1
    return wrong, p.argmax(axis=1)


def _held_out(vectors: Matrix, given: Places, k: int, folds: Places) -> Matrix:
    """Scores of each row, shape (n, k), by a head that learned from the other folds; labels weigh alike."""
    counts = np.bincount(given, minlength=k)
    weights = len(given) / (np.count_nonzero(counts) * counts[given])
    gram = np.zeros((FOLDS, FEATURES + 1, FEATURES + 1))
    moment = np.zeros((FOLDS, FEATURES + 1, k))
    for fold in range(FOLDS):
        for part in _parts(np.flatnonzero(folds == fold)):
            seen = _features(vectors[part])
            weighed = seen.T * weights[part]
            gram[fold] += weighed @ seen
            moment[fold] += weighed @ np.eye(k)[given[part]]
    everything, target = gram.sum(axis=0), moment.sum(axis=0)
    scores = np.zeros((len(given), k), np.float32)
    for fold in range(FOLDS):
        rest = everything - gram[fold] + RIDGE * np.eye(FEATURES + 1)
        head = cho_solve(cho_factor(rest), target - moment[fold])
        for part in _parts(np.flatnonzero(folds == fold)):
            scores[part] = _features(vectors[part]) @ head
    return scores


def _parts(rows: Places) -> list[Places]:
    return [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]


def _features(vectors: Matrix) -> Wide:
    """Random Fourier features and a one, shape (n, FEATURES + 1)."""
    random = np.random.default_rng(0)
    waves = random.normal(scale=np.sqrt(GAMMA), size=(vectors.shape[1], FEATURES))
    shift = random.uniform(0, 2 * np.pi, FEATURES)
    seen = np.sqrt(2 / FEATURES) * np.cos(vectors.astype(np.float64) @ waves + shift)
    return np.column_stack([seen, np.ones(len(seen))])


def _pruned(p: Wide, own: Wide, given: Places, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows that are pruned by class (least `own` probability) and by noise rate (widest margin) alike."""
    joint = _joint(p, own, given)
    by_class, by_rate = np.zeros(len(given), bool), np.zeros(len(given), bool)
    for label in np.unique(given):
        rows = np.flatnonzero((given == label) & known)
        wrong = joint[label].copy()
        wrong[label] = 0
        by_class[_first(rows, own[rows], wrong.sum())] = True
        for other in np.flatnonzero(wrong >= 0.5):
            by_rate[_first(rows, own[rows] - p[rows, other], wrong[other])] = True
    return by_class & by_rate


def _first(rows: Places, values: Wide, number: float) -> Places:
    return rows[np.argsort(values, kind="stable")[: round(number)]]


def _joint(p: Wide, own: Wide, given: Places) -> Wide:
    """The confident joint, shape (k, k), rows scaled to how often each label was given.

    A row counts for the likeliest of the labels of which it has more than their own rows have on average.
    """
    k = p.shape[1]
    counts = np.bincount(given, minlength=k)
    average = np.bincount(given, own, minlength=k) / np.maximum(counts, 1)
    confident = np.where((p >= average) & (counts > 0), p, -1)
    seen, sure = confident.argmax(axis=1), confident.max(axis=1) >= 0
    joint = np.zeros((k, k))
    np.add.at(joint, (given[sure], seen[sure]), 1)
    joint[np.diag_indices(k)] = np.maximum(joint.diagonal(), 1)
    scaled: Wide = joint / joint.sum(axis=1, keepdims=True) * counts[:, None]
    return scaled

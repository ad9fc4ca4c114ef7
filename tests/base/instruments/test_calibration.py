"""Confidence that means what it says."""

import numpy as np
import pytest

from openflywheel.base.instruments.calibration import BOUNDS, calibration_error, fit_sharpness, fit_sigmoids
from openflywheel.base.instruments.vectors import softmax


def drawn(sharpness, n=4_000, k=5, seed=0):
    """Scores, and classes drawn with the probabilities that the scores have at a sharpness."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(n, k)).astype(np.float32)
    edges = softmax(scores * np.float32(sharpness)).cumsum(axis=1)
    right = (random.random((n, 1)) > edges).sum(axis=1).clip(max=k - 1)
    return scores, right.astype(np.intp)


def log_loss(scores, right, sharpness):
    return -float(np.log(softmax(scores * np.float32(sharpness))[np.arange(len(right)), right]).mean())


@pytest.mark.parametrize("truth", [0.3, 1.0, 4.0])
def test_the_sharpness_behind_the_data_is_found(truth):
    found, loss = fit_sharpness(*drawn(truth))
    assert found == pytest.approx(truth, rel=0.1)
    assert loss == pytest.approx(
        log_loss(*drawn(truth), found), abs=5e-3
    )  # the targets are a little less than 1


def test_no_other_sharpness_has_a_lower_loss():
    scores, right = drawn(2.0, n=5_000)
    found, loss = fit_sharpness(scores, right)
    assert all(log_loss(scores, right, found * factor) > loss for factor in (0.5, 0.8, 1.25, 2))


def test_a_handful_of_rows_that_are_all_right_is_no_proof_of_certainty():
    right = np.arange(16) % 4
    scores = np.eye(4, dtype=np.float32)[right]
    sharpness, _ = fit_sharpness(scores, right)
    assert softmax(scores * sharpness).max(axis=1) == pytest.approx(17 / 18, abs=0.005)


def test_scores_that_know_nothing_are_made_unsure():
    scores, _ = drawn(1.0)
    found, loss = fit_sharpness(scores, np.random.default_rng(9).integers(0, 5, len(scores)))
    assert found < 0.15
    assert loss == pytest.approx(np.log(5), abs=0.01)


def test_scores_that_are_always_right_are_made_as_sure_as_the_bound_allows():
    scores = np.eye(4, dtype=np.float32)[np.arange(40) % 4] * np.float32(1e-3)
    found, _ = fit_sharpness(scores, np.arange(40) % 4)
    assert 0.9 * np.exp(BOUNDS[1]) < found <= np.exp(BOUNDS[1])


def test_rows_count_by_their_weight():
    scores, right = drawn(3.0)
    wrong = np.arange(len(right)) % 2 == 0
    mixed = np.where(wrong, np.random.default_rng(1).integers(0, 5, len(right)), right)
    blind, _ = fit_sharpness(scores, mixed)
    sharp, _ = fit_sharpness(scores, mixed, weight=np.where(wrong, 1e-6, 1.0).astype(np.float32))
    assert blind < 2 < sharp == pytest.approx(3, rel=0.1)
    alike = fit_sharpness(scores, mixed, weight=np.full(len(right), 7.0))
    assert alike == pytest.approx(fit_sharpness(scores, mixed))


def test_few_rows_that_weigh_something_are_no_proof_of_certainty_among_many_that_do_not():
    right = np.arange(1_000) % 4
    scores, few = np.eye(4, dtype=np.float32)[right], np.where(np.arange(1_000) < 16, 1.0, 1e-9)
    sharpness, _ = fit_sharpness(scores, right, weight=few)
    assert softmax(scores * np.float32(sharpness)).max(axis=1) == pytest.approx(17 / 18, abs=0.005)


def test_many_labels_are_fitted_part_by_part_to_the_same(monkeypatch):
    scores, right = drawn(2.0, n=300)
    whole = fit_sharpness(scores, right, np.arange(5.0))
    monkeypatch.setattr("openflywheel.base.instruments.calibration.AT_ONCE", 100)
    assert fit_sharpness(scores, right, np.arange(5.0)) == pytest.approx(whole)


def test_the_error_counts_rows_by_their_weight():
    scores = np.tile(np.array([[0, 1]], np.float32), (40, 1))
    right = np.arange(40) % 2
    chance = float(softmax(scores).max())
    assert calibration_error(scores, right, 1.0, bins=1) == pytest.approx(chance - 0.5, abs=1e-6)
    sure = calibration_error(scores, right, 1.0, bins=1, weight=np.where(right == 1, 1.0, 0.0))
    assert sure == pytest.approx(1 - chance, abs=1e-6)


def test_without_rows_nothing_is_known():
    nothing = np.zeros((0, 3), np.float32), np.zeros(0, np.intp)
    assert fit_sharpness(*nothing) == (1.0, float("inf"))
    assert calibration_error(*nothing, 1.0) == 0


def test_the_error_is_small_at_the_true_sharpness_and_large_elsewhere():
    scores, right = drawn(2.0)
    assert calibration_error(scores, right, 2.0) < 0.03
    assert calibration_error(scores, right, 8.0) > 0.15
    assert calibration_error(scores, right, 0.2) > 0.15


def test_the_error_is_the_gap_between_sure_and_right():
    scores = np.tile(np.array([[np.log(4), 0]], np.float32), (10, 1))  # sure at .8
    for hits in (0, 5, 10):
        right = np.array([0] * hits + [1] * (10 - hits), np.intp)
        assert calibration_error(scores, right, 1.0, bins=1) == pytest.approx(abs(0.8 - hits / 10), abs=1e-6)


def test_bins_weigh_as_much_as_they_hold():
    scores = np.array([[np.log(9), 0]] * 3 + [[0, 0]] * 1, np.float32)  # three sure at .9, one at .5
    right = np.array([0, 0, 0, 0], np.intp)
    assert calibration_error(scores, right, 1.0, bins=4) == pytest.approx((3 * 0.1 + 0.5) / 4, abs=1e-6)


def test_more_bins_than_rows_are_as_many_as_rows():
    scores, right = drawn(1.0, n=3)
    assert calibration_error(scores, right, 1.0, bins=15) == calibration_error(scores, right, 1.0, bins=3)


def test_what_is_known_beforehand_is_added_and_not_learned():
    scores, right = drawn(2.0, n=20_000)
    frequent = np.log([0.6, 0.1, 0.1, 0.1, 0.1])
    p = softmax((scores * 2 + frequent).astype(np.float32)).cumsum(axis=1)
    shifted = (np.random.default_rng(1).random((len(p), 1)) > p).sum(axis=1).clip(max=4)
    assert fit_sharpness(scores, shifted, frequent)[0] == pytest.approx(2, rel=0.05)
    assert fit_sharpness(scores, shifted)[1] > fit_sharpness(scores, shifted, frequent)[1] + 0.1
    assert fit_sharpness(scores, right, np.zeros(5)) == fit_sharpness(scores, right)


def hits(slope, shift, n=4_000, seed=0):
    """Scores of classes, and which classes are right, by sigmoids of these slopes and shifts."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(n, len(slope))).astype(np.float32)
    chance = 1 / (1 + np.exp(-(scores * slope + shift)))
    return scores, random.random(chance.shape) < chance


def test_the_sigmoids_behind_the_data_are_found():
    slope, shift = np.array([3.0, 1.0, 2.0]), np.array([-2.0, 0.0, 1.0])
    found = fit_sigmoids(*hits(slope, shift))
    np.testing.assert_allclose(found[0], slope, rtol=0.12)
    np.testing.assert_allclose(found[1], shift, atol=0.15)


def test_a_class_of_few_rows_has_the_slope_of_all():
    scores, hit = hits(np.array([2.0, 2.0]), np.array([0.0, 0.0]))
    hit[:, 1] = False
    hit[np.argsort(scores[:, 1])[-2:], 1] = True  # two rows, told apart without a fault
    slope, shift = fit_sigmoids(scores, hit)
    assert 0 < slope[1] < 10
    assert 1 / (1 + np.exp(-(slope[1] * scores[:, 1].mean() + shift[1]))) < 0.01


def test_slopes_of_rare_classes_lean_on_each_other():
    scores, hit = hits(np.full(6, 2.0), np.full(6, -6.0), n=300)
    together, _ = fit_sigmoids(scores, hit)
    alone = [fit_sigmoids(scores[:, [i]], hit[:, [i]])[0][0] for i in range(6)]
    assert np.std(together) < 0.9 * np.std(alone)


def test_scores_that_know_nothing_give_the_share_of_the_class():
    scores, hit = hits(np.array([0.0]), np.array([-1.0]), n=20_000)
    slope, shift = fit_sigmoids(scores, hit)
    assert slope[0] == pytest.approx(0, abs=0.05)
    assert 1 / (1 + np.exp(-shift[0])) == pytest.approx(hit.mean(), abs=0.01)

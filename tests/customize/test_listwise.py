import numpy as np
import pytest

from openflywheel.customize._listwise import FOLDS, Listed, fitted, held_out


def lists(n=60, weights=(3.0, -1.0, 0.0), seed=0):
    """Lists of eight items of which one was chosen, as a softmax of the weighed features says."""
    random = np.random.default_rng(seed)
    return [_one(random, np.array(weights)) for _ in range(n)]


def _one(random, weights):
    features = random.normal(size=(8, len(weights))).astype(np.float32)
    likely = np.exp(features @ weights)
    right = np.zeros(8, np.float32)
    right[random.choice(8, p=likely / likely.sum())] = 1
    return Listed(features, right)


def hits(scores, made):
    return np.mean([s.argmax() == one.right.argmax() for s, one in zip(scores, made, strict=True)])


def test_it_finds_the_weights_by_which_items_were_chosen():
    assert fitted(lists(1_000)) == pytest.approx([3, -1, 0], abs=0.35)


def test_lists_without_anything_right_say_nothing():
    made = lists()
    empty = [Listed(one.features * 100, np.zeros(8, np.float32)) for one in made]
    assert fitted([*made, *empty]) == pytest.approx(fitted(made))
    assert not fitted(empty).any()


def test_right_items_count_by_their_weight():
    features = np.array([[1, 0], [0, 1]], np.float32)
    more = fitted([Listed(features, np.array([3, 1], np.float32))] * 5)
    assert more[0] > more[1]
    assert fitted([Listed(features, np.array([1, 1], np.float32))] * 5) == pytest.approx([0, 0], abs=1e-6)


def test_held_out_scores_are_of_heads_that_never_saw_the_list():
    noise = lists(30, weights=(0.0,) * 60)  # nothing to learn, and much to remember
    head = fitted(noise)
    assert hits([one.features @ head for one in noise], noise) > 0.9
    assert hits(held_out(noise), noise) < 0.4
    learned = lists(60)
    assert hits(held_out(learned), learned) > 0.6
    assert len(held_out(learned[: FOLDS - 2])) == FOLDS - 2

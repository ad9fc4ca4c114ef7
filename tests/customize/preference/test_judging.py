import numpy as np
import pytest

from openflywheel.base.instruments.intervals import wilson
from openflywheel.customize._preference.judging import area, judged

NOT = float("nan")


def test_pairs_are_right_where_the_better_answer_has_more():
    said = judged(np.array([[1.0, 0.0], [0.5, 0.0], [0.0, 0.25], [0.0, 0.0]]))
    assert said["reward_accuracy"] == 0.5
    assert (said["reward_accuracy_low"], said["reward_accuracy_high"]) == wilson(2, 4)
    assert (said["judged"], said["margin"]) == (4.0, pytest.approx(0.3125))


def test_thumbs_are_compared_up_with_down():
    said = judged(np.array([[3.0, NOT], [1.0, NOT], [NOT, 2.0], [NOT, 0.0], [NOT, 1.0]]))
    assert said["reward_accuracy"] == pytest.approx(4.5 / 6)  # 3 > 2, 0, 1; 1 > 0; 1 = 1
    assert (said["judged"], said["margin"]) == (5.0, 1.0)
    assert said["reward_accuracy_low"] < 0.75 < said["reward_accuracy_high"] == 1.0


def test_thumbs_of_one_kind_say_nothing():
    assert judged(np.array([[1.0, NOT], [2.0, NOT]])) == {}
    assert judged(np.array([[NOT, 1.0]])) == {}


def test_one_thumb_of_a_kind_leaves_everything_open():
    assert area(np.array([1.0]), np.array([0.0, 0.5])) == (1.0, 0.0, 1.0)


def test_the_interval_of_an_area_holds_what_is_true():
    random, hits = np.random.default_rng(0), 0
    for _ in range(200):  # two normals one apart: the area is Phi(1 / sqrt 2)
        _, low, high = area(random.normal(1, 1, 40), random.normal(0, 1, 60))
        hits += low <= 0.7602 <= high
    assert 180 <= hits <= 198

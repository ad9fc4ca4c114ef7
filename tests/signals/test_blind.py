"""p is uniform for blind votes and small for honest ones; the mixture tells them apart."""

import numpy as np
import pytest

from openflywheel.signals._blind import chances, p_values

WIDTH = 12


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def topics(random, which):
    """Texts as noisy unit vectors, each about one of `WIDTH` topics."""
    return unit(np.eye(WIDTH)[which] + 0.15 * random.normal(size=(len(which), WIDTH)))


def traffic(random, n):
    return topics(random, random.integers(WIDTH, size=n))


def whole(votes, examples):
    return np.ones((len(votes), len(examples)), bool)


class TestP:
    def test_of_blind_votes_it_is_uniform_whatever_the_examples(self):
        random = np.random.default_rng(0)
        p = []
        for _ in range(60):
            votes, examples = traffic(random, 20), traffic(random, 5)
            p.extend(p_values(votes, examples, whole(votes, examples), traffic(random, 200)))
        for level in (0.1, 0.3, 0.5, 0.8):
            assert np.mean(np.array(p) <= level) == pytest.approx(level, abs=0.04)  # 1,200 votes: 3 errors

    def test_of_votes_that_fit_their_label_it_is_small(self):
        random = np.random.default_rng(1)
        votes, examples = topics(random, [3] * 20), topics(random, [3] * 4)
        p = p_values(votes, examples, whole(votes, examples), traffic(random, 200))
        assert np.median(p) < 0.1

    def test_it_counts_the_traffic_that_is_as_near(self):
        axes = np.eye(3, dtype=np.float32)
        usual = axes[[0, 0, 1, 1, 1, 1, 1, 1, 1]]
        near, far = p_values(axes[[0, 2]], axes[:1], np.ones((2, 1), bool), usual)
        assert near == pytest.approx(3 / 10)
        assert far == 1.0

    def test_only_those_who_may_speak_for_a_vote_do(self):
        axes = np.eye(3, dtype=np.float32)
        speak = np.array([[True, False], [False, False]])
        one, nobody = p_values(axes[[0, 0]], axes[[0, 1]], speak, axes[[1] * 9])
        assert one == pytest.approx(1 / 10)
        assert nobody == 1.0


class TestChances:
    def test_a_few_doubtful_votes_are_believed_and_many_are_not(self):
        assert chances(np.array([0.7]), np.ones(1))[0] < 0.5
        p = np.linspace(0.05, 1, 20)
        blind = chances(p, np.ones(20))
        assert (blind[p > 0.2] > 0.5).all()

    def test_honest_votes_among_blind_ones_are_told_apart_by_their_fit(self):
        p = np.concatenate([np.full(10, 0.005), np.linspace(0.05, 1, 20)])
        assert (chances(p, np.ones(30))[:10] < 0.1).all()

    def test_votes_that_fit_leave_a_stray_one_believed(self):
        p = np.array([0.01, 0.02, 0.01, 0.05, 0.03, 0.1, 0.02, 0.9])
        assert (chances(p, np.ones(8)) < 0.5).all()

    def test_where_the_model_is_surely_right_a_correction_is_less_believed(self):
        p = np.full(2, 0.4)
        doubtful, sure = chances(p, np.array([1.5, 0.05]))
        assert doubtful < 0.3
        assert sure > 0.5

    def test_what_is_known_is_certain_and_teaches_about_the_rest(self):
        p = np.full(8, 0.3)
        known = np.array([np.inf, *[0.0] * 6, 1.0])
        blind = chances(p, known)
        assert blind[0] == 0
        assert (blind[1:7] == 1).all()
        assert blind[7] > chances(p, np.ones(8))[7]

    def test_it_falls_as_p_falls(self):
        blind = chances(np.linspace(0.001, 1, 50), np.ones(50))
        assert (np.diff(blind) > 0).all()

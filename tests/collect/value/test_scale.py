"""Scales of encoders."""

import numpy as np
import pytest

from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.collect._value.scale import PROBES, scale_of


class Oracle:
    """Gives a question and its answer the same vector; `noise` blurs it."""

    def __init__(self, noise):
        rng = np.random.default_rng(0)
        self.vectors = {}
        for i, pair in enumerate(PROBES):
            for text in pair:
                vector = np.eye(len(PROBES))[i] + noise * rng.normal(size=len(PROBES))
                self.vectors[text] = vector / np.linalg.norm(vector)

    def encode(self, texts):
        return np.array([self.vectors[t] for t in texts], np.float32)


def test_an_answer_is_1_and_a_strangers_is_0():
    scale = scale_of(Oracle(0.0))
    assert scale.of(np.array([1.0, 0.0, 0.5], np.float32)).tolist() == pytest.approx([1, 0, 0.5])
    assert scale.trust > 0.99


def test_the_more_blurred_the_less_trusted():
    trust = [scale_of(Oracle(noise)).trust for noise in (0.1, 0.5, 2.0)]
    assert trust == sorted(trust, reverse=True)
    assert 0 <= trust[-1] < 0.6


def test_an_encoder_that_tells_nothing_apart_is_not_trusted():
    class Blind:
        def encode(self, texts):
            return np.ones((len(texts), 4), np.float32) / 2

    scale = scale_of(Blind())
    assert scale.trust == 0
    assert np.isfinite(scale.of(np.ones(3, np.float32))).all()


def test_ngrams_know_little_and_the_scale_says_so():
    scale = scale_of(NgramEncoder())
    assert scale.near > scale.far
    assert 0.05 < scale.trust < 0.7

"""Whoever wrote a model, its manifest says who reads it."""

import numpy as np
import pytest

from openflywheel.base.errors import EncoderError, StoreError
from openflywheel.base.forms import opened
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Estimating, Labelling, Writing


class Two:
    """An encoder of two numbers."""

    name = "two"

    def encode(self, texts):
        return np.array([[len(text), 1] for text in texts], np.float32)


HEAD = Head(("short", "long"), np.array([[-1, 1], [0, 0]], np.float32), np.array([5, 0], np.float32), "two")


def test_a_head_answers_texts(tmp_path):
    answers = opened(HEAD.keep(tmp_path), {"encoder": Two(), "ask": None})
    assert isinstance(answers, Labelling)
    assert not isinstance(answers, Estimating | Writing)
    assert answers.labels == ("short", "long")
    found = answers.probabilities(["a", "a longer one"])
    assert found.argmax(axis=1).tolist() == [0, 1]
    assert found.sum(axis=1) == pytest.approx(1)


def test_a_head_of_another_encoder_is_told(tmp_path):
    place = Head(HEAD.labels, HEAD.weights, HEAD.bias, "three").keep(tmp_path)
    with pytest.raises(EncoderError, match="taught on the encoder 'three', this process has 'two'"):
        opened(place, {"encoder": Two()})


def test_a_form_that_nobody_reads_is_told_with_the_choices(tmp_path):
    place = artefact.keep(tmp_path, {"form": "haed"}, {})
    with pytest.raises(StoreError, match="its form is 'haed'; did you mean 'head'"):
        opened(place, {})

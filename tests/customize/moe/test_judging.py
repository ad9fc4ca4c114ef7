import math

import numpy as np
import pytest
import torch
from tiny import tiny
from transformers import AutoModelForCausalLM

from openflywheel.customize._moe.judging import losses, shares, sizes
from openflywheel.customize._tuning.chats import Example

EXAMPLES = [Example([7, 8, 9, 10, 11], 3), Example([20, 21, 22], 1), Example([30, 31], 1)]


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    place = tiny(tmp_path_factory.mktemp("judging") / "mixtral", "mixtral")
    return AutoModelForCausalLM.from_pretrained(place).eval()


def test_only_answers_are_judged_token_by_token(mixture):
    total, counted = losses(mixture, EXAMPLES)
    assert counted == 5
    expected = 0.0
    with torch.inference_mode():
        for example in EXAMPLES:
            chances = mixture(torch.tensor([example.tokens])).logits[0].log_softmax(dim=-1)
            expected -= sum(
                float(chances[i - 1, token]) for i, token in enumerate(example.tokens) if i >= example.start
            )
    assert total == pytest.approx(expected, rel=1e-5)


def test_a_model_that_knows_nothing_loses_the_vocabularys_logarithm(mixture):
    class Even:
        device = torch.device("cpu")

        def __call__(self, input_ids):
            return type("Out", (), {"logits": torch.zeros(*input_ids.shape, 50)})

    total, counted = losses(Even(), EXAMPLES)
    assert total / counted == pytest.approx(math.log(50))


def test_nothing_to_judge_is_nothing(mixture):
    assert losses(mixture, []) == (0.0, 0)


def test_shares_of_experts_sum_to_one_in_each_layer(mixture):
    found = shares(mixture, EXAMPLES)
    assert found.shape == (2, 4)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found.max() <= 0.5  # two experts work on each token


def test_a_router_that_knows_two_experts_gives_all_to_them(mixture):
    weight = mixture.model.layers[0].mlp.gate.weight
    before = weight.detach().clone()
    try:
        with torch.no_grad():
            weight.zero_()  # of equal logits the first two are taken
        found = shares(mixture, EXAMPLES)
        assert sorted(found[0]) == [0, 0, 0.5, 0.5]
        assert sorted(found[1]) != [0, 0, 0.5, 0.5]
    finally:
        with torch.no_grad():
            weight.copy_(before)


def test_active_parameters_are_those_that_work_on_a_token(mixture):
    found = sizes(mixture)
    expert = 3 * 64 * 128
    assert found["parameters"] == mixture.num_parameters()
    assert found["parameters"] - found["active_parameters"] == 2 * 2 * expert  # layers, experts at rest

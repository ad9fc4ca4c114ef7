import pytest
import torch

from openflywheel.customize._encoder.linear import LowRank, Whole


def layer(kind, dtype=torch.float32):
    random = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(5, 7, generator=random), torch.randn(5, generator=random)
    if kind == "whole":
        return Whole(weight, bias, dtype), weight, bias
    return LowRank(weight, bias, 3, 6.0, dtype, random), weight, bias


@pytest.mark.parametrize("kind", ["whole", "low"])
def test_before_it_learned_it_is_the_layer_that_it_was_made_of(kind):
    linear, weight, bias = layer(kind)
    rows = torch.randn(4, 7)
    torch.testing.assert_close(linear(rows), rows @ weight.T + bias)


@pytest.mark.parametrize("kind", ["whole", "low"])
def test_merged_weights_give_what_the_layer_gives_after_a_step(kind):
    linear, weight, _ = layer(kind)
    rows = torch.randn(4, 7)
    optimiser = torch.optim.SGD(list(linear.learned.values()), 0.1)
    for _ in range(2):  # after one step only B of a low-rank layer has moved
        optimiser.zero_grad()
        (linear(rows) ** 2).sum().backward()
        optimiser.step()
    merged = linear.merged()
    assert not torch.allclose(merged["weight"], weight)
    torch.testing.assert_close(rows @ merged["weight"].T + merged["bias"], linear(rows).detach())


def test_a_low_rank_layer_learns_few_numbers_and_its_change_has_that_rank():
    linear, weight, bias = layer("low")
    assert {name: tuple(value.shape) for name, value in linear.learned.items()} == {
        "lora_A": (3, 7),
        "lora_B": (5, 3),
    }
    linear.learned["lora_B"].data.normal_()
    change = linear.merged()["weight"] - weight
    assert torch.linalg.matrix_rank(change) == 3
    expected = 2 * linear.learned["lora_B"] @ linear.learned["lora_A"]  # alpha 6 over rank 3
    torch.testing.assert_close(change, expected.detach(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(linear.merged()["bias"], bias)


@pytest.mark.parametrize("kind", ["whole", "low"])
def test_products_are_of_the_wanted_type_and_what_learns_stays_float32(kind):
    linear, _, _ = layer(kind, torch.bfloat16)
    assert linear(torch.randn(2, 7, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert {value.dtype for value in linear.learned.values()} == {torch.float32}


def test_the_weights_that_it_was_made_of_are_never_changed():
    linear, weight, _ = layer("whole")
    before = weight.clone()
    linear.learned["weight"].data += 1
    torch.testing.assert_close(weight, before)

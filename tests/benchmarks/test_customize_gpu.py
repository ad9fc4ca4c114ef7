"""The step on a GPU: what a token costs, and what is said where there is none."""

import pytest
import torch

from benchmarks.customize import gpu


def test_without_cuda_it_says_so_and_misses_no_bar(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (row,) = gpu.measure(tmp_path, tmp_path, 1)
    assert row.row.endswith("no CUDA here")
    assert (row.value, row.holds, row.bar) == (None, None, ">= 0.4")


def test_a_token_costs_four_operations_a_parameter_and_attentions():
    attention = gpu.operations(0)
    assert attention == 8 * 16 * 2_048 * 512
    assert gpu.operations(10**9) - attention == 4e9


def test_the_shape_is_of_a_billion_parameters():
    width, inner, layers = (gpu.SHAPE[n] for n in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    keys = width * gpu.SHAPE["num_key_value_heads"] // gpu.SHAPE["num_attention_heads"]
    blocks = layers * (2 * width**2 + 2 * width * keys + 3 * width * inner)
    assert blocks + gpu.SHAPE["vocab_size"] * width == pytest.approx(1.236e9, rel=0.01)

"""The forward pass in torch against the ONNX graph of the same weights, and against peft."""

import numpy as np
import pytest
import torch

from openflywheel.base.forms.encoder import encoder_of
from openflywheel.base.instruments.minilm import graph_of
from openflywheel.customize._encoder import adapter
from openflywheel.customize._encoder.base import _installed
from openflywheel.customize._encoder.bert import Bert, fastest
from openflywheel.customize._encoder.linear import LowRank, Whole

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed in v6:FutureWarning"),
    pytest.mark.slow,
]

TEXTS = [
    "My card hasn't arrived after two weeks, what can I do?",
    "no",
    "",
    "日本の首都は東京です。",
    "Where is it? " * 60,
]


def changed(base, dtype):
    """With additions as large as training makes them."""
    random = torch.Generator().manual_seed(0)
    made = Bert(base.weights, lambda w, b: LowRank(w, b, 4, 8.0, dtype, random), dtype)
    for name, value in made.learned.items():
        if name.endswith("lora_B"):
            value.data = 0.02 * torch.randn(value.shape, generator=random)
    return made


@pytest.fixture(scope="module")
def bert(base):
    return changed(base, torch.float32)


@pytest.fixture(scope="module")
def vectors(base, bert):
    return bert.encode(base.tokens(TEXTS))


def test_the_graph_of_the_merged_weights_gives_nearly_the_same_vectors(base, bert, vectors):
    served = encoder_of(graph_of(bert.merged, base.tokenizer)).encode(TEXTS)
    assert (served * vectors).sum(axis=1).min() > 0.98
    assert (served * vectors).sum(axis=1).mean() > 0.99


def test_additions_change_the_vectors(base, vectors):
    plain = Bert(base.weights, lambda w, b: Whole(w, b, torch.float32), torch.float32)
    assert (plain.encode(base.tokens(TEXTS)) * vectors).sum(axis=1).max() < 0.997


def test_peft_opens_the_adapter_and_says_the_same(base, bert, vectors, tmp_path, monkeypatch):
    from peft import PeftModel
    from transformers import BertModel

    for name, content in adapter.files(bert.learned, 4, 8.0).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    model = PeftModel.from_pretrained(BertModel.from_pretrained(_installed()), tmp_path / "adapter").eval()
    for ids, expected in zip(base.tokens(TEXTS), vectors, strict=True):
        with torch.no_grad():
            mean = model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(dim=0)
        np.testing.assert_allclose(mean / mean.norm(), expected, atol=1e-5)


def test_a_text_has_the_same_vector_alone_and_beside_others(base, bert, vectors):
    alone = np.concatenate([bert.encode([ids]) for ids in base.tokens(TEXTS)])
    np.testing.assert_allclose(alone, vectors, atol=1e-5)


def test_bfloat16_points_nearly_the_same_way(base, vectors):
    rough = changed(base, torch.bfloat16).encode(base.tokens(TEXTS))
    assert rough.dtype == np.float32
    assert (rough * vectors).sum(axis=1).min() > 0.995


def test_gradients_reach_every_layer_and_nothing_that_is_frozen(base):
    made = changed(base, fastest())
    made(base.tokens(TEXTS[:2]))[0, 0].backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in made.learned.values())
    assert not any(weight.requires_grad for weight in base.weights.values())


def test_so_many_numbers_learn(bert, base):
    assert bert.size == 6 * (4 * 4 * (384 + 384) + 2 * 4 * (384 + 1536))
    whole = Bert(base.weights, lambda w, b: Whole(w, b, torch.float32), torch.float32)
    assert whole.size == 6 * (4 * 384 * 385 + 384 * 1537 + 1536 * 385)


def test_the_adapter_has_the_same_bytes_every_time(bert):
    assert adapter.files(bert.learned, 4, 8.0) == adapter.files(bert.learned, 4, 8.0)

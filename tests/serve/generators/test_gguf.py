"""Checkpoints and adapters for llama.cpp, judged by what it says with them (test_host_llamacpp.py)."""

import json
from math import sqrt
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import save_file

from openflywheel.base.errors import StoreError
from openflywheel.serve._generators import gguf_adapter, gguf_base, gguf_read
from openflywheel.serve._generators.gguf_words import CUTS

CONFIG = {
    "model_type": "llama", "vocab_size": 4, "hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1,
    "num_attention_heads": 1, "num_key_value_heads": 1, "max_position_embeddings": 64, "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 5e5}, "eos_token_id": 1,
}  # fmt: skip
LORA = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
QUERY = "model.layers.0.self_attn.q_proj"


@pytest.fixture
def checkpoint(tmp_path: Path, write):
    """A folder that looks like a checkpoint, with a query and a norm; some of its settings changed."""

    def make(config=(), tokenizer=(), cut: str = "") -> Path:
        folder = tmp_path / "base"
        step = {"type": "ByteLevel", "use_regex": not cut}
        split = {"type": "Split", "pattern": {"Regex": cut}}
        pre = {"type": "Sequence", "pretokenizers": [split, step]} if cut else step
        model = {"type": "BPE", "vocab": {"a": 0, "<|end|>": 1, "b": 2}, "merges": []}
        added = [{"id": 1, "content": "<|end|>", "special": True}]
        write(folder / "config.json", CONFIG | dict(config))
        told = {"model": model, "pre_tokenizer": pre, "added_tokens": added} | dict(tokenizer)
        write(folder / "tokenizer.json", told)
        query = np.arange(16, dtype=np.float32).reshape(4, 4)
        norm = np.ones(4, np.float16)
        save_file({f"{QUERY}.weight": query, "model.norm.weight": norm}, folder / "model.safetensors")
        return folder

    return make


@pytest.fixture
def adapter(tmp_path: Path, write):
    def make(name: str = f"{QUERY}.lora_B.weight", **config) -> Path:
        folder = tmp_path / "adapter"
        write(folder / "adapter_config.json", LORA | config)
        values = np.arange(16, dtype=np.float32).reshape(4, 4)
        save_file({f"base_model.model.{name}": values}, folder / "adapter_model.safetensors")
        return folder

    return make


def converted(folder: Path) -> gguf.GGUFReader:
    file = folder.parent / "base.gguf"
    gguf_base.convert(folder, file)
    return gguf.GGUFReader(file)


def fields(reader: gguf.GGUFReader) -> dict:
    return {name: field.contents() for name, field in reader.fields.items()}


def test_the_shape_and_the_words(checkpoint):
    found = fields(converted(checkpoint()))
    assert found["general.architecture"] == "llama"
    assert found["llama.rope.freq_base"] == 5e5
    assert found["tokenizer.ggml.pre"] == "gpt-2"
    assert found["tokenizer.ggml.tokens"] == ["a", "<|end|>", "b", "[UNUSED3]"]
    kinds = gguf.TokenType
    assert found["tokenizer.ggml.token_type"] == [kinds.NORMAL, kinds.CONTROL, kinds.NORMAL, kinds.UNUSED]
    assert found["tokenizer.ggml.eos_token_id"] == 1


def test_what_a_file_says_of_itself(checkpoint, tmp_path):
    converted(checkpoint())
    assert gguf_read.read(tmp_path / "base.gguf") == ("llama", 1, 1, 1, ("<|end|>",))
    gguf_base.write(gguf.GGUFWriter(tmp_path / "bare.gguf", "gemma"))
    assert gguf_read.read(tmp_path / "bare.gguf") == ("gemma", 0, 0, 0, ())


def test_rows_of_queries_lie_in_turns(checkpoint):
    tensors = {t.name: t.data for t in converted(checkpoint()).tensors}
    np.testing.assert_array_equal(tensors["blk.0.attn_q.weight"][:, 0], [0, 8, 4, 12])
    assert tensors["output_norm.weight"].dtype == np.float32


def test_but_not_those_of_qwen3(checkpoint):
    tensors = {t.name: t.data for t in converted(checkpoint({"model_type": "qwen3"})).tensors}
    np.testing.assert_array_equal(tensors["blk.0.attn_q.weight"][:, 0], [0, 4, 8, 12])


@pytest.mark.parametrize("cut", list(CUTS))
def test_known_ways_of_cutting_texts(checkpoint, cut):
    assert fields(converted(checkpoint(cut=cut)))["tokenizer.ggml.pre"] == CUTS[cut]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"config": {"model_type": "mixtral"}},
            "of the architecture 'mixtral'; llama, qwen3 can be converted",
        ),
        ({"config": {"rope_parameters": {"rope_type": "llama3"}}}, "scales its positions by 'llama3'"),
        ({"tokenizer": {"model": {"type": "Unigram"}}}, "no byte-level BPE"),
        ({"tokenizer": {"pre_tokenizer": {"type": "Metaspace"}}}, "cuts texts in a way"),
        ({"cut": "\\w+"}, "cuts texts in a way"),
    ],
)
def test_what_is_not_converted_says_what_to_do(checkpoint, changes, why):
    with pytest.raises(StoreError, match=f"{why}.*(gguf|vLLM)"):
        converted(checkpoint(**changes))


def test_a_tensor_that_llama_cpp_does_not_know(checkpoint):
    folder = checkpoint()
    save_file({"model.vision.weight": np.ones(1, np.float32)}, folder / "model.safetensors")
    with pytest.raises(StoreError, match=r"no name for the tensor 'model\.vision'"):
        converted(folder)


def test_bfloat16_stays(checkpoint):
    folder = checkpoint()
    head = json.dumps(
        {f"{QUERY}.weight": {"dtype": "BF16", "shape": [4, 4], "data_offsets": [0, 32]}}
    ).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(32))
    [tensor] = converted(folder).tensors
    assert tensor.tensor_type == gguf.GGMLQuantizationType.BF16


def adapted(adapter: Path, base: Path) -> gguf.GGUFReader:
    converted(base)
    file = base.parent / "adapter.gguf"
    gguf_adapter.convert(adapter, base.parent / "base.gguf", file)
    return gguf.GGUFReader(file)


def test_an_adapter_is_turned_as_its_base_is(adapter, checkpoint):
    reader = adapted(adapter(), checkpoint())
    [tensor] = reader.tensors
    assert tensor.name == "blk.0.attn_q.weight.lora_b"
    np.testing.assert_array_equal(tensor.data[:, 0], [0, 8, 4, 12])
    assert fields(reader)["adapter.lora.alpha"] == 8


def test_the_other_half_is_not_turned(adapter, checkpoint):
    [tensor] = adapted(adapter(f"{QUERY}.lora_A.weight"), checkpoint()).tensors
    np.testing.assert_array_equal(tensor.data[:, 0], [0, 4, 8, 12])


def test_rank_stabilised_scaling(adapter, checkpoint):
    reader = adapted(adapter(use_rslora=True), checkpoint())
    assert fields(reader)["adapter.lora.alpha"] == pytest.approx(8 * sqrt(4))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"alpha_pattern": {"q_proj": 2}}, "alpha_pattern"),
        ({"peft_type": "IA3"}, "IA3"),
    ],
)
def test_adapters_that_llama_cpp_cannot_apply(adapter, checkpoint, config, why):
    with pytest.raises(StoreError, match=f"cannot apply an adapter with {why}: "):
        adapted(adapter(**config), checkpoint())


def test_a_tensor_that_is_no_lora(adapter, checkpoint):
    with pytest.raises(StoreError, match="llama.cpp cannot apply"):
        adapted(adapter(f"{QUERY}.lora_magnitude_vector"), checkpoint())


def test_a_base_of_another_architecture(adapter, tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "other.gguf", "gemma")
    gguf_base.write(writer)
    with pytest.raises(StoreError, match="of the architecture 'gemma'"):
        gguf_adapter.convert(adapter(), tmp_path / "other.gguf", tmp_path / "out.gguf")

import json

import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import load_file
from tiny import tiny
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GPT2Config, LlamaConfig

from openflywheel.base.errors import SettingsError
from openflywheel.customize._moe.upcycling import NOISE, upcycled, widened
from openflywheel.customize._tuning import checkpoint

IDS = torch.arange(5, 45).reshape(2, 20)


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """Checkpoints by their architecture."""
    folder = tmp_path_factory.mktemp("dense")
    for kind in ("llama", "qwen3", "mixtral"):
        tiny(folder / kind, kind)
    return {kind: checkpoint.found(kind, folder) for kind in ("llama", "qwen3", "mixtral")}


def logits(place):
    with torch.inference_mode():
        return AutoModelForCausalLM.from_pretrained(place).eval()(IDS).logits


@pytest.mark.parametrize(("kind", "sparse"), [("llama", "mixtral"), ("qwen3", "qwen3_moe")])
@pytest.mark.parametrize(("experts", "active"), [(4, 2), (3, 1), (2, 2)])
def test_a_mixture_says_what_the_dense_model_says(dense, tmp_path, kind, sparse, experts, active):
    made = upcycled(dense[kind], experts, active, "", 0, tmp_path)
    assert (logits(made.place) - logits(dense[kind].place)).abs().max() <= 1e-4
    config = AutoConfig.from_pretrained(made.place)
    assert config.model_type == sparse
    assert (config.num_local_experts, config.num_experts_per_tok) == (experts, active)


def test_experts_are_copies_and_the_router_is_new(dense, tmp_path):
    made = upcycled(dense["llama"], 4, 2, "", 0, tmp_path)
    state = AutoModelForCausalLM.from_pretrained(made.place).state_dict()
    before = AutoModelForCausalLM.from_pretrained(dense["llama"].place).state_dict()
    experts = state["model.layers.1.mlp.experts.gate_up_proj"]
    parts = [before[f"model.layers.1.mlp.{name}.weight"] for name in ("gate_proj", "up_proj")]
    assert all(torch.equal(expert, torch.cat(parts)) for expert in experts)
    down = state["model.layers.0.mlp.experts.down_proj"]
    assert all(torch.equal(expert, before["model.layers.0.mlp.down_proj.weight"]) for expert in down)
    routers = [state[f"model.layers.{i}.mlp.gate.weight"] for i in range(2)]
    assert all(router.std() > 0 for router in routers)
    assert not torch.equal(*routers)


def test_a_mixture_is_named_by_all_that_decides_how_it_learns(dense, tmp_path):
    made = [
        upcycled(dense["llama"], experts, active, "", seed, tmp_path)
        for experts, active, seed in [(4, 2, 0), (4, 1, 0), (4, 2, 1), (3, 2, 0)]
    ]
    assert len({each.sha256 for each in made}) == len({each.place for each in made}) == 4
    assert upcycled(dense["llama"], 4, 2, "", 0, tmp_path) == made[0]
    assert {each.name for each in made} == {"llama"}


def test_it_leaves_torchs_generator_alone(dense, tmp_path):
    before = torch.get_rng_state()
    upcycled(dense["llama"], 2, 1, "", 0, tmp_path)
    widened(dense["llama"], 2, "", 0, tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_it_takes_the_tokenizer_with_the_template_that_was_named(dense, tmp_path):
    made = upcycled(dense["llama"], 2, 1, "{{ messages[0]['content'] }}", 0, tmp_path)
    assert AutoTokenizer.from_pretrained(made.place).chat_template == "{{ messages[0]['content'] }}"


def test_tied_embeddings_stay_tied(tmp_path):
    place = tiny(tmp_path / "tied")
    config = LlamaConfig.from_pretrained(place, tie_word_embeddings=True)
    AutoModelForCausalLM.from_config(config).save_pretrained(place)
    made = upcycled(checkpoint.found("tied", tmp_path), 2, 1, "", 0, tmp_path)
    assert AutoConfig.from_pretrained(made.place).tie_word_embeddings
    assert (logits(made.place) - logits(place)).abs().max() <= 1e-4


def test_embeddings_that_differ_stay_apart_whatever_the_configuration_says(tmp_path):
    place = tiny(tmp_path / "said")
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
    base = checkpoint.found("said", tmp_path)
    for made in (upcycled(base, 2, 1, "", 0, tmp_path), widened(base, 1, "", 0, tmp_path)):
        assert not AutoConfig.from_pretrained(made.place).tie_word_embeddings
        assert (logits(made.place) - logits(place)).abs().max() <= 10 * NOISE


def test_a_wider_model_says_almost_what_it_said_before(dense, tmp_path):
    made = widened(dense["qwen3"], 2, "", 0, tmp_path)
    assert AutoConfig.from_pretrained(made.place).intermediate_size == 256
    apart = (logits(made.place) - logits(dense["qwen3"].place)).abs().max()
    assert 0 < apart < 10 * NOISE
    gate = load_file(f"{made.place}/model.safetensors")["model.layers.0.mlp.gate_proj.weight"]
    assert not torch.equal(gate[:128], gate[128:])  # else they would learn the same for ever


def test_once_as_wide_it_is_as_it_was(dense, tmp_path):
    made = widened(dense["llama"], 1, "", 0, tmp_path)
    assert torch.equal(logits(made.place), logits(dense["llama"].place))


def test_other_architectures_are_refused_by_name(dense, tmp_path):
    with pytest.raises(SettingsError, match="base = 'mixtral' is a mixtral: .*llama .*qwen3 .*by: adapters"):
        upcycled(dense["mixtral"], 4, 2, "", 0, tmp_path)
    place = tiny(tmp_path / "gpt2")
    config = GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=400)
    AutoModelForCausalLM.from_config(config).save_pretrained(place)
    with pytest.raises(SettingsError, match="base = 'gpt2' is a gpt2"):
        upcycled(checkpoint.found("gpt2", tmp_path), 4, 2, "", 0, tmp_path)


def test_weights_without_a_place_are_refused(tmp_path):
    for bias in ("attention_bias", "mlp_bias"):
        place = tiny(tmp_path / bias)
        config = LlamaConfig.from_pretrained(place, **{bias: True})
        AutoModelForCausalLM.from_config(config).save_pretrained(place)
        with pytest.raises(SettingsError, match=f"base = '{bias}' .*a mixtral has no place for.*bias"):
            upcycled(checkpoint.found(bias, tmp_path), 4, 2, "", 0, tmp_path)


def test_a_sliding_window_is_refused(dense, tmp_path):
    place = tiny(tmp_path / "window", "qwen3")
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(
        json.dumps({**config, "use_sliding_window": True, "sliding_window": 8})
    )
    base = replace(dense["qwen3"], name="window", place=str(place))
    with pytest.raises(SettingsError, match="qwen3 with a sliding window"):
        upcycled(base, 4, 2, "", 0, tmp_path)

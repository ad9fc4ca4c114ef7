"""A dense checkpoint made into a sparse one, or a wider one, that says the same as before.

Sparse upcycling (Komatsuzaki et al. 2022, arXiv 2212.05055): every expert begins as a copy of the dense MLP,
and the router is new. Its weights of the chosen experts sum to 1, so the sum of copies is the dense MLP.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, MixtralConfig, Qwen3MoeConfig

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.base.instruments.checkpoint import fingerprint
from openflywheel.customize._tuning import checkpoint
from openflywheel.customize._tuning.checkpoint import Checkpoint, Opened
from openflywheel.customize._tuning.telling import quiet

ROUTER, EXPERTS, MLP = "mlp.gate", "mlp.experts", ("gate_proj", "up_proj", "down_proj")
NOISE = 0.01  # of a weight's size, on the copies of a wider MLP: else they get the same gradients for ever
COMMON = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
    "head_dim", "hidden_act", "max_position_embeddings", "initializer_range", "rms_norm_eps",
    "rope_parameters", "attention_dropout", "pad_token_id", "bos_token_id", "eos_token_id",
)  # fmt: skip

State = dict[str, Any]


def upcycled(
    base: Checkpoint, experts: int, active: int, template: str, seed: int, workspace: Path
) -> Checkpoint:
    """A mixture of `experts`, `active` of which work on a token: Llama -> Mixtral, Qwen3 -> Qwen3-MoE.

    Raises SettingsError for other architectures, and for weights that those mixtures have no place for.
    """
    with quiet():
        dense = checkpoint.opened(base, template=template)
        config = _sparse(base, dense.model.config, experts, active)
        config.tie_word_embeddings = _tied(dense.model)
        made = _filled(base, config, lambda new: _copied(dense.model.state_dict(), new, experts), seed)
        return _written(base, dense, made, f"experts {experts} {active} {seed} {template}", workspace)


def widened(base: Checkpoint, times: int, template: str, seed: int, workspace: Path) -> Checkpoint:
    """A dense model whose MLPs are `times` as wide: a mixture's active parameters, but for its router's.

    Each hidden unit stands there `times`, with that part of its outgoing weight (Net2WiderNet: Chen et al.
    2015, arXiv 1511.05641), and with `NOISE`; once as wide, nothing changes.
    """
    with quiet():
        dense = checkpoint.opened(base, template=template)
        config = type(dense.model.config).from_dict(dense.model.config.to_dict())
        config.intermediate_size *= times
        config.tie_word_embeddings = _tied(dense.model)
        made = _filled(base, config, lambda _: _repeated(dense.model.state_dict(), times), seed)
        return _written(base, dense, made, f"wider {times} {seed} {template}", workspace)


def _sparse(base: Checkpoint, dense: Any, experts: int, active: int) -> Any:
    """The configuration of the mixture."""
    shape = {name: getattr(dense, name) for name in COMMON if hasattr(dense, name)}
    if dense.model_type == "llama":
        return MixtralConfig(
            **shape,
            intermediate_size=dense.intermediate_size,
            num_local_experts=experts,
            num_experts_per_tok=active,
        )
    if dense.model_type == "qwen3" and not dense.use_sliding_window:
        return Qwen3MoeConfig(
            **shape,
            intermediate_size=dense.intermediate_size,
            moe_intermediate_size=dense.intermediate_size,
            attention_bias=dense.attention_bias,
            num_experts=experts,
            num_experts_per_tok=active,
            norm_topk_prob=True,
        )
    window = " with a sliding window" if dense.model_type == "qwen3" else ""
    raise SettingsError(
        f"base = {base.name!r} is a {dense.model_type}{window}: by = 'upcycle' knows llama (to Mixtral) and"
        " qwen3 with full attention (to Qwen3-MoE); take one of those, or by: adapters"
    )


def _tied(model: Any) -> bool:
    """Whether it is so: transformers doesn't tie weights that differ, whatever the configuration says."""
    return model.get_input_embeddings().weight is model.get_output_embeddings().weight


def _filled(base: Checkpoint, config: Any, weights: Callable[[State], State], seed: int) -> Any:
    """A model of that configuration; `weights` gives its state, told the one that it was born with."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = AutoModelForCausalLM.from_config(config, dtype=config.dtype or torch.float32)
        state = weights(made.state_dict())
    if odd := sorted(made.state_dict().keys() ^ state.keys()):
        raise SettingsError(
            f"base = {base.name!r} has weights that a {config.model_type} has no place for, or lacks some:"
            f" {odd[0]}; take another checkpoint, or by: adapters"
        )
    made.load_state_dict(state)
    return made


def _copied(dense: Mapping[str, Any], new: Mapping[str, Any], experts: int) -> State:
    """The dense weights, each MLP as often as there are experts, and the new router's."""
    state = {name: tensor for name, tensor in dense.items() if ".mlp." not in name}
    for name, tensor in new.items():
        layer, _, part = name.partition(".mlp.")
        if name.endswith(f"{ROUTER}.weight"):
            state[name] = tensor
        elif part:
            one = [dense[f"{layer}.mlp.{m}.weight"] for m in (MLP[:2] if "gate_up" in part else MLP[2:])]
            state[name] = torch.cat(one).expand(experts, -1, -1).contiguous()
    left = {name: t for name, t in dense.items() if ".mlp." in name and not name.endswith(".weight")}
    return state | left


def _repeated(dense: Mapping[str, Any], times: int) -> State:
    """The dense weights, with MLPs that are repeated along their hidden units."""
    state = dict(dense)
    for name, tensor in dense.items():
        if f".mlp.{MLP[2]}." in name:
            state[name] = tensor.repeat(1, times) / times
        elif ".mlp." in name:
            wide = tensor.repeat(times, 1)
            noise = NOISE * wide.std() * torch.randn_like(wide) if times > 1 else 0
            state[name] = wide + noise
    return state


def _written(base: Checkpoint, dense: Opened, made: Any, how: str, workspace: Path) -> Checkpoint:
    """The model with its tokenizer, in a folder named by what it was made of."""
    place = workspace / f"base-{content_id(f'{base.sha256} {how}')}"
    made.generation_config = dense.model.generation_config
    made.save_pretrained(place)
    dense.tokenizer.save_pretrained(place)
    # How many experts are active stands in the configuration alone, and decides how a run ends.
    return Checkpoint(base.name, str(place), content_id(f"{fingerprint(place)} {how}"))

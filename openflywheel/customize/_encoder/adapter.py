"""Learned low-rank weights in peft's names and layout: PeftModel.from_pretrained(bert, folder) opens them."""

import json
from collections.abc import Mapping

import torch
from safetensors.torch import save

from openflywheel.base.instruments.encoder import REPOSITORY

WEIGHTS, CONFIG = "adapter/adapter_model.safetensors", "adapter/adapter_config.json"
# The linear layers of the six layers; not the pooler's, which a sentence vector does without.
MODULES = r"encoder\.layer\.\d+\.(attention\.self\.(query|key|value)|(attention\.output|\w+)\.dense)"


def files(learned: Mapping[str, torch.Tensor], rank: int, alpha: float) -> dict[str, bytes]:
    """Names and contents of an adapter's two files."""
    tensors = {f"base_model.model.{name}.weight": value.detach() for name, value in learned.items()}
    config = {
        "peft_type": "LORA",
        "task_type": "FEATURE_EXTRACTION",
        "base_model_name_or_path": REPOSITORY,
        "r": rank,
        "lora_alpha": alpha,
        "target_modules": MODULES,
        "bias": "none",
    }
    return {WEIGHTS: save(tensors), CONFIG: json.dumps(config, sort_keys=True, indent=1).encode()}

"""A LoRA adapter of peft as a GGUF file, for a base that is one."""

import json
from math import sqrt
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from openflywheel.base.errors import StoreError
from openflywheel.serve._generators.gguf_base import ARCHITECTURES, OTHERWISE, names, turned, write
from openflywheel.serve._generators.gguf_read import read
from openflywheel.serve._generators.weights import tensors

PREFIX = "base_model.model."


def convert(adapter: Path, base: Path, file: Path) -> None:
    """Write the GGUF file of an adapter of the model whose GGUF file is `base`.

    llama.cpp scales B A by alpha / rank; an adapter with rank-stabilised scaling (rsLoRA: alpha / sqrt(rank))
    gets an alpha that comes to the same. Raises StoreError for what llama.cpp cannot apply.
    """
    config = json.loads((adapter / "adapter_config.json").read_text())
    _check(config, adapter)
    kind, layers, heads, heads_kv, _ = read(base)
    if kind not in ARCHITECTURES:
        raise StoreError(
            f"{base} is of the architecture {kind!r}; adapters of {', '.join(ARCHITECTURES)} fit"
        )
    name_of, turn = names(kind, layers), turned(kind, heads, heads_kv)
    alpha = config["lora_alpha"] * (sqrt(config["r"]) if config.get("use_rslora") else 1.0)
    writer = gguf.GGUFWriter(file, kind)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(alpha))
    for name, tensor in tensors(adapter):
        module, _, which = name.removeprefix(PREFIX).removesuffix(".weight").rpartition(".")
        if which not in ("lora_A", "lora_B"):
            raise StoreError(f"{adapter}: llama.cpp cannot apply {name!r}: {OTHERWISE}")
        values = tensor.float32()
        values = turn(f"{module}.", values) if which == "lora_B" else values
        writer.add_tensor(f"{name_of(module)}.weight.{which.lower()}", np.ascontiguousarray(values))
    write(writer)


def _check(config: dict[str, Any], adapter: Path) -> None:
    said = [name for name in ("use_dora", "alpha_pattern", "modules_to_save") if config.get(name)]
    if config.get("peft_type") != "LORA" or said:
        what = ", ".join(said) or config.get("peft_type")
        raise StoreError(f"{adapter}: llama.cpp cannot apply an adapter with {what}: {OTHERWISE}")

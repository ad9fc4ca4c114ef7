"""A checkpoint of Llama's or Qwen3's architecture as a GGUF file, which is what llama.cpp reads.

Numbers keep their precision; whoever wants them quantised names a GGUF file of his own (`gguf:`). What stands
in such a file: github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from openflywheel.base.errors import StoreError
from openflywheel.serve._generators.gguf_words import add_words
from openflywheel.serve._generators.weights import Tensor, tensors

ARCHITECTURES = {"llama": gguf.MODEL_ARCH.LLAMA, "qwen3": gguf.MODEL_ARCH.QWEN3}
OTHERWISE = "name a GGUF file of it as  gguf:  of this generator, or serve it with vLLM"


def convert(checkpoint: Path, file: Path) -> None:
    """Write the GGUF file of a checkpoint. Raises StoreError for what this small converter does not know."""
    config = json.loads((checkpoint / "config.json").read_text())
    kind = config.get("model_type", "")
    if kind not in ARCHITECTURES:
        raise StoreError(
            f"{checkpoint} is of the architecture {kind!r}; {', '.join(ARCHITECTURES)} can be converted: "
            f"{OTHERWISE}"
        )
    writer = gguf.GGUFWriter(file, kind)
    _add_shape(writer, config, checkpoint)
    add_words(writer, checkpoint, config["vocab_size"])
    for name, tensor in _named(checkpoint, config):
        _add(writer, name, tensor)
    write(writer)


def write(writer: gguf.GGUFWriter) -> None:
    """Put what was added on disk."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: gguf.GGUFWriter, config: Mapping[str, Any], checkpoint: Path) -> None:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    scaling = rope.get("rope_type", "default")
    if scaling != "default":
        raise StoreError(f"{checkpoint} scales its positions by {scaling!r}, not converted here: {OTHERWISE}")
    heads = config["num_attention_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads", heads))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope.get("rope_theta") or config.get("rope_theta", 10_000.0))
    writer.add_rope_dimension_count(width)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_vocab_size(config["vocab_size"])


def _named(checkpoint: Path, config: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """The tensors under the names that llama.cpp gives them, turned as it wants them."""
    heads = config["num_attention_heads"]
    name_of = names(config["model_type"], config["num_hidden_layers"])
    turn = turned(config["model_type"], heads, config.get("num_key_value_heads", heads))
    for name, tensor in tensors(checkpoint):
        yield (
            f"{name_of(name.removesuffix('.weight'))}.weight",
            tensor._replace(values=turn(name, tensor.values)),
        )


def names(kind: str, layers: int) -> Callable[[str], str]:
    """Names of modules in transformers -> llama.cpp's. The function raises StoreError for one without any."""
    table = gguf.get_tensor_name_map(ARCHITECTURES[kind], layers)

    def name_of(module: str) -> str:
        found: str | None = table.get_name(module)
        if found is None:
            raise StoreError(f"llama.cpp has no name for the tensor {module!r} of {kind}: {OTHERWISE}")
        return found

    return name_of


def turned(kind: str, heads: int, heads_kv: int) -> Callable[[str, NDArray[Any]], NDArray[Any]]:
    """Puts the rows of queries and keys in order: Llama's pairs of a rotation lie side by side there."""
    found = {"q_proj": heads, "k_proj": heads_kv} if kind == "llama" else {}

    def turn(name: str, values: NDArray[Any]) -> NDArray[Any]:
        count = next((n for part, n in found.items() if f".{part}." in name), 0)
        if not count:
            return values
        halves = values.reshape(count, 2, values.shape[0] // count // 2, *values.shape[1:])
        return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(values.shape)

    return turn


def _add(writer: gguf.GGUFWriter, name: str, tensor: Tensor) -> None:
    """Vectors (norms) in float32, as llama.cpp wants them; matrices as they are."""
    if tensor.values.ndim == 1:
        writer.add_tensor(name, tensor.float32())
    elif tensor.type == "BF16":
        raw = np.ascontiguousarray(tensor.values).view(np.uint8)
        writer.add_tensor(name, raw, raw_dtype=gguf.GGMLQuantizationType.BF16)
    else:
        writer.add_tensor(name, np.ascontiguousarray(tensor.values))

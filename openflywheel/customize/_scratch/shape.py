"""The shape of a small language model: Llama's, with one matrix for reading and writing tokens."""

from typing import Any

import torch
from msgspec import Struct
from transformers import LlamaConfig, LlamaForCausalLM

from openflywheel.base.errors import SettingsError

WIDER = 2  # of a block's inner width: texts are short and rows few, so half of the usual 4 x does


class Shape(Struct, frozen=True):
    """Its sizes; `vocabulary` without the tokens that are no words, `most_tokens` is the context."""

    width: int
    layers: int
    heads: int
    vocabulary: int
    most_tokens: int


def shaped(words: Any, shape: Shape) -> Any:
    """An untrained model, on CUDA where there is one.

    Raises SettingsError when the heads don't share the width evenly.
    """
    width, heads = shape.width, shape.heads
    if width % (2 * heads):
        raise SettingsError(f"width = {width} is no multiple of 2 x heads = {2 * heads}; take {heads * 64}")
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=WIDER * width,
        num_hidden_layers=shape.layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=shape.most_tokens,
        tie_word_embeddings=True,
        pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config).to("cuda" if torch.cuda.is_available() else "cpu")

"""MiniLM's forward pass in torch, for training: the same weights and names as base/instruments/minilm.py.

Own code and not transformers with peft, because a step costs half as much: without padding, and in bfloat16
with attention in float32, 1,000 short texts take 7 to 9 CPU-s there and back, against 19 (one thread of an
AVX-512 machine). The adapter has peft's names and layout, and peft opens it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from openflywheel.base.instruments.minilm import HEADS, LAYERS, WIDTH
from openflywheel.customize._encoder.linear import Linear
from openflywheel.customize._encoder.packing import Packed, pack

EPSILON = 1e-12  # BERT's, in every LayerNorm
PROJECTED = ("attention.self.query", "attention.self.key", "attention.self.value")
PARTS = (
    *PROJECTED,
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
AT_ONCE = 64  # texts that go through together when nothing is learned

MakeLinear = Callable[[Tensor, Tensor], Linear]


def fastest() -> torch.dtype:
    """bfloat16 where the processor multiplies it (twice as fast as float32), else float32."""
    # Private, and yet the only question that every torch from 2.6 on answers.
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32


class Bert:
    """Token ids to unit vectors of 384 numbers, with linear layers that `make` gave."""

    def __init__(self, weights: Mapping[str, Tensor], make: MakeLinear, dtype: torch.dtype) -> None:
        self._weights, self._dtype = weights, dtype
        self.linears = {
            name: make(weights[f"{name}.weight"], weights[f"{name}.bias"])
            for name in (f"encoder.layer.{layer}.{part}" for layer in range(LAYERS) for part in PARTS)
        }

    @property
    def learned(self) -> dict[str, Tensor]:
        """What training changes, by name."""
        return {
            f"{name}.{part}": value
            for name, linear in self.linears.items()
            for part, value in linear.learned.items()
        }

    @property
    def size(self) -> int:
        """How many numbers training changes."""
        return sum(value.numel() for value in self.learned.values())

    def __call__(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """Unit vectors, shape (len(ids), 384), float32: the mean over each text's tokens."""
        packed = pack(ids)
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        words = self._weights["embeddings.word_embeddings.weight"][packed.ids]
        places = self._weights["embeddings.position_embeddings.weight"][packed.places]
        rows = self._normalised(words + places + kind, "embeddings.LayerNorm").to(self._dtype)
        for layer in range(LAYERS):
            rows = self._layer(rows, packed, f"encoder.layer.{layer}")
        return functional.normalize(packed.means(rows.float()), dim=1)

    def encode(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The same without learning, in batches of texts of like length."""
        order = np.argsort([len(row) for row in ids], kind="stable")
        vectors = np.empty((len(ids), WIDTH), np.float32)
        with torch.no_grad():
            for start in range(0, len(order), AT_ONCE):
                rows = order[start : start + AT_ONCE]
                vectors[rows] = self([ids[row] for row in rows]).numpy()
        return vectors

    def merged(self, name: str) -> NDArray[np.float32]:
        """A tensor by its published name, as it is now."""
        stem, _, part = name.rpartition(".")
        linear = self.linears.get(stem)
        tensor = self._weights[name] if linear is None else linear.merged()[part]
        numbers: NDArray[np.float32] = tensor.numpy()
        return numbers

    def _layer(self, rows: Tensor, packed: Packed, name: str) -> Tensor:
        linear = self.linears
        context = _attended(packed, (linear[f"{name}.{part}"](rows) for part in PROJECTED))
        attended = linear[f"{name}.attention.output.dense"](context.to(self._dtype))
        rows = self._normalised(attended + rows, f"{name}.attention.output.LayerNorm")
        inner = functional.gelu(linear[f"{name}.intermediate.dense"](rows))
        return self._normalised(linear[f"{name}.output.dense"](inner) + rows, f"{name}.output.LayerNorm")

    def _normalised(self, rows: Tensor, name: str) -> Tensor:
        scale, shift = (self._weights[f"{name}.{part}"].to(rows.dtype) for part in ("weight", "bias"))
        return functional.layer_norm(rows, (WIDTH,), scale, shift, EPSILON)


def _attended(packed: Packed, projected: Iterator[Tensor]) -> Tensor:
    """Attention in float32: torch's backward pass in bfloat16 takes 12 times as long on a CPU."""
    queries, keys, values = (packed.padded(rows.float(), HEADS) for rows in projected)
    context = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=packed.mask)
    return packed.flat(context)

"""Linear layers that learn: by a low-rank addition to frozen weights, or as a whole."""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Linear(Protocol):
    """A linear layer on rows; `learned` are its tensors that training changes, in float32."""

    learned: dict[str, Tensor]

    def __call__(self, rows: Tensor) -> Tensor: ...

    def merged(self) -> dict[str, Tensor]:
        """Its "weight" and "bias" as they are now, in float32."""
        ...


class LowRank:
    """weight + alpha / rank * B A, with the weight frozen (LoRA, Hu et al. 2021, arXiv:2106.09685).

    A of shape (rank, inputs) begins at random, B of shape (outputs, rank) at 0. The frozen weight's gradient
    is never computed, which is a third of a step. `dtype` is that of the products.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor,
        rank: int,
        alpha: float,
        dtype: torch.dtype,
        random: torch.Generator,
    ) -> None:
        self._weight, self._bias = weight, bias
        self._frozen, self._scale, self._dtype = (weight.to(dtype), bias.to(dtype)), alpha / rank, dtype
        limit = weight.shape[1] ** -0.5  # peft's: uniform with the variance of Kaiming's for a = sqrt(5)
        a = (2 * torch.rand(rank, weight.shape[1], generator=random) - 1) * limit
        b = torch.zeros(weight.shape[0], rank)
        self.learned = {"lora_A": a.requires_grad_(), "lora_B": b.requires_grad_()}

    def __call__(self, rows: Tensor) -> Tensor:
        a, b = (self.learned[name].to(self._dtype) for name in ("lora_A", "lora_B"))
        low = functional.linear(functional.linear(rows, a), b)
        return torch.add(functional.linear(rows, *self._frozen), low, alpha=self._scale)

    def merged(self) -> dict[str, Tensor]:
        """With the addition added in."""
        added = self.learned["lora_B"].detach() @ self.learned["lora_A"].detach()
        return {"weight": self._weight + self._scale * added, "bias": self._bias}


class Whole:
    """All of its numbers learn."""

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> None:
        self.learned = {
            "weight": weight.clone().requires_grad_(),
            "bias": bias.clone().requires_grad_(),
        }
        self._dtype = dtype

    def __call__(self, rows: Tensor) -> Tensor:
        return functional.linear(rows, *(value.to(self._dtype) for value in self.learned.values()))

    def merged(self) -> dict[str, Tensor]:
        """As they are."""
        return {name: value.detach() for name, value in self.learned.items()}

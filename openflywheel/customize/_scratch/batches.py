"""Examples as tensors: rows of like length together, so that little of a batch is padding."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from msgspec import Struct
from numpy.random import Generator as Random
from numpy.typing import NDArray

from openflywheel.customize._tuning.chats import Example

NEAR = 64  # batches whose rows are sorted by length together: 12 % of Banking77 is padding, with 16 18 %


class Batch(Struct, frozen=True):
    """Token ids (n, longest), padded at the right; which of ids[:, 1:] are the answers' and the prompts' own;
    and a weight a row.
    """

    ids: torch.Tensor
    answers: torch.Tensor
    prompts: torch.Tensor
    weights: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same, on a device."""
        return Batch(*(getattr(self, name).to(device) for name in self.__struct_fields__))


def epoch(
    examples: Sequence[Example], size: int, random: Random, dropped: float, kept: int
) -> Iterator[Batch]:
    """All examples once, in random order, each without a share `dropped` of its prompt's tokens >= `kept`."""
    order = random.permutation(len(examples))
    near = [order[i : i + NEAR * size] for i in range(0, len(order), NEAR * size)]
    alike = np.concatenate([sorted(part, key=lambda i: len(examples[i].tokens)) for part in near])
    parts = [alike[i : i + size] for i in range(0, len(alike), size)]
    for i in random.permutation(len(parts)):
        yield batch([_thinned(examples[j], random, dropped, kept) for j in parts[i]])


def _thinned(example: Example, random: Random, dropped: float, kept: int) -> Example:
    """Word dropout (Iyyer et al. 2015, section 4): a question is understood also when words are missing."""
    if not dropped:
        return example
    prompt: NDArray[np.int64] = np.array(example.tokens[: example.start])
    left = prompt[(random.random(len(prompt)) >= dropped) | (prompt < kept)].tolist()
    return Example([*left, *example.answer], len(left), example.weight)


def batch(examples: Sequence[Example]) -> Batch:
    """Those examples, with padding."""
    longest = max(len(e.tokens) for e in examples)
    ids = torch.tensor([e.tokens + [0] * (longest - len(e.tokens)) for e in examples])
    places = torch.arange(1, longest)
    start, end = torch.tensor([(e.start, len(e.tokens)) for e in examples]).T[:, :, None]
    return Batch(
        ids=ids,
        answers=(places >= start) & (places < end),
        prompts=places < start,
        weights=torch.tensor([e.weight for e in examples]),
    )

"""How to tune a generator. This module is light: trainers' files import it, and all programs import those."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from msgspec import Struct

Progress = Callable[[dict[str, float]], object]


class Tuning(Struct, frozen=True):
    """How to tune: the settings that all tuners of generators share.

    `alpha` scales the adapter by alpha / rank; 0 stands for twice the rank. `rate` is the highest learning
    rate: it rises over 3 % of the steps and falls as a cosine. `steps`, where it isn't 0, goes before
    `epochs`. A step takes `batch` examples, in `accumulate` parts one after the other. `packing` puts several
    examples into each row of `most_tokens`, where they don't see each other. `checkpointing` computes
    activations again instead of keeping them. `patience` is how many judgements (10 a run) may pass without a
    better one before the run stops. `template` is the text of a chat template. `workers` of a cluster share
    each batch; with `fsdp` they share the frozen weights as well, so that each keeps a part.
    """

    rank: int = 16
    alpha: float = 0.0
    rate: float = 2e-4
    epochs: float = 3.0
    steps: int = 0
    batch: int = 16
    accumulate: int = 1
    most_tokens: int = 1024
    packing: bool = False
    quantise: str = ""
    checkpointing: bool = False
    patience: int = 3
    seed: int = 0
    template: str = ""
    workers: int = 1
    fsdp: bool = False

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """Those of a trainer's settings that are a tuner's."""
        return cls(**{name: said[name] for name in cls.__struct_fields__ if name in said})

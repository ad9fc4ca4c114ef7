"""Tensors of a checkpoint or an adapter, read from its safetensors files without torch.

The format: 8 bytes with the length of a JSON head, the head (name -> dtype, shape, offsets), the numbers
(github.com/huggingface/safetensors). numpy knows no bfloat16; such numbers come as they lie, in uint16.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.errors import StoreError

Kept = Literal["F32", "F16", "BF16"]
TYPES = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}


class Tensor(NamedTuple):
    """Numbers of a type; those of BF16 stand in uint16."""

    type: Kept
    values: NDArray[Any]

    def float32(self) -> NDArray[np.float32]:
        """The numbers themselves; a bfloat16 is the upper half of a float32."""
        if self.type != "BF16":
            return self.values.astype(np.float32)
        return (self.values.astype(np.uint32) << 16).view(np.float32)


def tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """Every tensor with its name, mapped from disk. Raises StoreError for a folder or a type without use."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise StoreError(f"there are no weights in {folder}: a file *.safetensors is expected")
    for file in files:
        yield from _of(file)


def _of(file: Path) -> Iterator[tuple[str, Tensor]]:
    raw = np.memmap(file, np.uint8, "r")
    start = 8 + int.from_bytes(raw[:8].tobytes(), "little")
    head = json.loads(raw[8:start].tobytes())
    for name, said in head.items():
        if name == "__metadata__":
            continue
        if said["dtype"] not in TYPES:
            known = ", ".join(TYPES)
            raise StoreError(f"{file}: {name} is of the type {said['dtype']}; {known} can be converted")
        first, last = said["data_offsets"]
        values = raw[start + first : start + last].view(TYPES[said["dtype"]]).reshape(said["shape"])
        yield name, Tensor(said["dtype"], values)

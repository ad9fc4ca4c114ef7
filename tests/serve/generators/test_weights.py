"""Tensors from safetensors files, without torch."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from openflywheel.base.errors import StoreError
from openflywheel.serve._generators.weights import Tensor, tensors


def raw(path: Path, kind: str, numbers: bytes, shape: list[int]) -> None:
    """A file with one tensor of any type."""
    head = json.dumps({"a": {"dtype": kind, "shape": shape, "data_offsets": [0, len(numbers)]}}).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + numbers)


def test_what_was_saved_is_read(tmp_path: Path):
    saved = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.array([1.5, -2], np.float16),
    }
    save_file(saved, tmp_path / "model.safetensors", metadata={"format": "pt"})
    found = dict(tensors(tmp_path))
    assert {name: tensor.type for name, tensor in found.items()} == {"a": "F16", "b": "F32"}
    for name, values in saved.items():
        np.testing.assert_array_equal(found[name].values, values)


def test_several_files_are_one_checkpoint(tmp_path: Path):
    for i in range(2):
        save_file({f"t{i}": np.ones(1, np.float32)}, tmp_path / f"model-0000{i}.safetensors")
    assert [name for name, _ in tensors(tmp_path)] == ["t0", "t1"]


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path: Path):
    numbers = np.array([1.0, -0.15625, 3.0e38], np.float32)
    raw(tmp_path / "m.safetensors", "BF16", (numbers.view(np.uint32) >> 16).astype(np.uint16).tobytes(), [3])
    [(_, tensor)] = tensors(tmp_path)
    assert tensor.values.dtype == np.uint16
    np.testing.assert_allclose(tensor.float32(), numbers, rtol=1 / 128)


def test_float16_becomes_float32():
    assert Tensor("F16", np.array([0.5], np.float16)).float32().dtype == np.float32


def test_other_types_are_refused(tmp_path: Path):
    raw(tmp_path / "m.safetensors", "I8", b"\1", [1])
    with pytest.raises(StoreError, match="a is of the type I8; F32, F16, BF16 can be converted"):
        list(tensors(tmp_path))


def test_no_weights(tmp_path: Path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(StoreError, match="no weights"):
        list(tensors(tmp_path))

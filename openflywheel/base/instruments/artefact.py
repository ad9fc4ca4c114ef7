"""A model on disk: one folder with a manifest and safetensors, named by its content. Never a pickle."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from openflywheel.base.errors import StoreError
from openflywheel.base.ids import content_id

MANIFEST, WEIGHTS = "manifest.json", "weights.safetensors"


def keep(folder: Path, manifest: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Path:
    """Write a model into its own folder under `folder`; the same content is written once.

    All of it or nothing is there at any time, also after a crash.
    """
    weights = save({name: np.ascontiguousarray(t) for name, t in tensors.items()})
    text = json.dumps({**manifest, "weights": content_id(weights)}, sort_keys=True, indent=1)
    place = folder / content_id(text)
    if place.exists():
        return place
    beside = Path(tempfile.mkdtemp(dir=folder, prefix=".new-"))
    _write(beside / MANIFEST, text.encode())
    _write(beside / WEIGHTS, weights)
    try:
        beside.rename(place)
    except OSError:  # somebody else has just written the same content
        shutil.rmtree(beside)
    return place


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read(place: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Manifest and tensors of a model. Raises StoreError when something is missing or was changed."""
    if not (place / MANIFEST).is_file() or not (place / WEIGHTS).is_file():
        raise StoreError(f"there is no model in {place}: {MANIFEST} and {WEIGHTS} are expected")
    text, weights = (place / MANIFEST).read_bytes(), (place / WEIGHTS).read_bytes()
    if content_id(text) != place.name or content_id(weights) != json.loads(text)["weights"]:
        raise StoreError(f"the model in {place} was changed on disk")
    return json.loads(text), load(weights)

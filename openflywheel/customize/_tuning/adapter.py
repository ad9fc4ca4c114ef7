"""A trained adapter as an artefact of the form "generator": its base stays outside, named by its content."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openflywheel.base.forms.generator import ADAPTER, FORM
from openflywheel.base.instruments import artefact
from openflywheel.customize._tuning.checkpoint import Checkpoint

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def keep(folder: Path, adapter: Path, base: Checkpoint, manifest: Mapping[str, Any]) -> Path:
    """Write the peft adapter that lies in `adapter` into its own folder; the same one is written once."""
    said = {"form": FORM, "base": base.said, **manifest}
    return artefact.keep(folder, said, files=files(ADAPTER, adapter, base))


def files(name: str, adapter: Path, base: Checkpoint) -> dict[str, bytes | Path]:
    """The files of the peft adapter that lies in `adapter`, for an artefact's folder `name`."""
    return {f"{name}/{WEIGHTS}": adapter / WEIGHTS, f"{name}/{CONFIG}": _config(adapter / CONFIG, base)}


def _config(path: Path, base: Checkpoint) -> bytes:
    """Peft's settings, the same bytes for the same adapter: without our paths, the modules in order."""
    said = json.loads(path.read_bytes())
    said["base_model_name_or_path"] = base.name
    said["target_modules"] = sorted(said["target_modules"])
    return json.dumps(said, sort_keys=True, indent=1).encode()

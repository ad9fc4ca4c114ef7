import json

import pytest

from openflywheel.base.instruments import artefact
from openflywheel.customize._tuning import adapter
from openflywheel.customize._tuning.checkpoint import Checkpoint

BASE = Checkpoint("models/qwen", "/home/somebody/models/qwen", "ab" * 32)


@pytest.fixture
def trained(tmp_path):
    place = tmp_path / "trained"
    place.mkdir()
    (place / "adapter_model.safetensors").write_bytes(b"weights")
    (place / "README.md").write_text("by peft")
    config = {"r": 4, "base_model_name_or_path": BASE.place, "target_modules": ["v_proj", "q_proj"]}
    (place / "adapter_config.json").write_text(json.dumps(config))
    return place


def test_an_adapter_is_kept_with_the_name_of_its_base_and_without_our_paths(trained, tmp_path):
    place = adapter.keep(tmp_path, trained, BASE, {"task": "shop", "method": "lora"})
    said = artefact.manifest(place)
    assert (said["form"], said["task"], said["method"]) == ("generator", "shop", "lora")
    assert said["base"] == {"name": "models/qwen", "path": "models/qwen", "sha256": BASE.sha256}
    assert sorted(said["files"]) == [
        "README.md", "adapter/adapter_config.json", "adapter/adapter_model.safetensors",
    ]  # fmt: skip
    assert not any(b"somebody" in path.read_bytes() for path in place.rglob("*") if path.is_file())


def test_the_same_adapter_is_written_once_in_whatever_order_peft_names_its_modules(trained, tmp_path):
    first = adapter.keep(tmp_path, trained, BASE, {"task": "shop"})
    config = json.loads((trained / "adapter_config.json").read_text())
    config["target_modules"].reverse()
    (trained / "adapter_config.json").write_text(json.dumps(config))
    assert adapter.keep(tmp_path, trained, BASE, {"task": "shop"}) == first
    (trained / "adapter_model.safetensors").write_bytes(b"others")
    assert adapter.keep(tmp_path, trained, BASE, {"task": "shop"}) != first

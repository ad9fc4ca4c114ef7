import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants
from tiny import tiny

from openflywheel.base.errors import MissingExtra, SettingsError, StoreError
from openflywheel.customize._tuning import checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("checkpoints")
    tiny(made / "base")
    return made


def test_a_path_is_found_from_the_folder_on_and_named_by_its_weights(folder):
    found = checkpoint.found("base", folder)
    assert (found.name, found.place, found.hub) == ("base", str(folder / "base"), False)
    assert found.said == {
        "name": "base", "path": "base", "sha256": found.sha256, "config_sha256": found.config,
    }  # fmt: skip
    assert len(found.sha256) == len(found.config) == 64
    assert found.sha256 != found.config


def test_an_absolute_path_is_taken_as_it_is(folder, tmp_path):
    assert checkpoint.found(str(folder / "base"), tmp_path).place == str(folder / "base")


def test_what_is_neither_here_nor_on_the_hub_is_named_with_both(folder):
    with pytest.raises(SettingsError, match="base = 'nobody/nothing': .*is no folder.*Hugging Face hub"):
        checkpoint.found("nobody/nothing", folder)


@pytest.mark.parametrize("base", ["./nope", "../nope", "/no/such", "~/no-such-folder", ".", "models/a/b"])
def test_what_can_only_be_a_path_is_not_looked_for_on_the_hub(tmp_path, base):
    with pytest.raises(SettingsError) as refused:
        checkpoint.found(base, tmp_path)
    if base != ".":
        looked = (tmp_path / Path(base).expanduser()).absolute()
        assert str(refused.value) == f"base = {base!r} is no folder (looked in {looked})"
    assert "Hugging Face" not in str(refused.value)


def test_a_kept_models_base_is_the_one_that_it_was_taught_on(folder, tmp_path):
    found = checkpoint.found("base", folder)
    assert checkpoint.kept(found.said, folder) == found
    shutil.copytree(folder / "base", tmp_path / "base")
    (tmp_path / "base" / "tokenizer_config.json").write_text("{}")
    with pytest.raises(StoreError, match="tokenizer or chat template of base"):
        checkpoint.kept(found.said, tmp_path)


def test_a_kept_models_base_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    said = {"name": "nobody/nothing", "hub": "nobody/nothing", "sha256": "0" * 64}
    with pytest.raises(StoreError, match="not in the local cache.*hf download nobody/nothing"):
        checkpoint.kept(said, tmp_path)


def test_pickled_weights_are_refused(folder, tmp_path):
    shutil.copytree(folder / "base", tmp_path / "old")
    (tmp_path / "old" / "model.safetensors").rename(tmp_path / "old" / "pytorch_model.bin")
    with pytest.raises(SettingsError, match="weights as .*safetensors"):
        checkpoint.found("old", tmp_path)


def test_a_manifest_names_a_hubs_checkpoint_by_its_id():
    known = checkpoint.Checkpoint("Qwen/Qwen3-0.6B", "/cache/qwen", "ab", hub=True)
    assert known.said == {"name": "Qwen/Qwen3-0.6B", "hub": "Qwen/Qwen3-0.6B", "sha256": "ab"}
    at = checkpoint.Checkpoint("Qwen/Qwen3-0.6B", "/cache/qwen", "ab", True, "cd", "e" * 40)
    assert at.said == {**known.said, "config_sha256": "cd", "revision": "e" * 40}


def test_a_hubs_checkpoint_is_known_by_its_commit(folder, tmp_path, monkeypatch):
    place = tmp_path / "models--nobody--tiny" / "snapshots" / ("c" * 40)
    shutil.copytree(folder / "base", place)
    (tmp_path / "models--nobody--tiny" / "refs").mkdir()
    (tmp_path / "models--nobody--tiny" / "refs" / "main").write_text("c" * 40)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    found = checkpoint.found("nobody/tiny", folder)
    assert (found.place, found.hub, found.revision) == (str(place), True, "c" * 40)
    assert checkpoint.kept(found.said, tmp_path) == found


def test_parameters_are_counted_without_loading(folder):
    made = checkpoint.opened(checkpoint.found("base", folder))
    assert checkpoint.parameters(folder / "base") == sum(p.numel() for p in made.model.parameters())


def test_a_tokenizer_without_a_template_needs_one(folder, tmp_path):
    shutil.copytree(folder / "base", tmp_path / "bare")
    (tmp_path / "bare" / "chat_template.jinja").unlink()
    bare = checkpoint.found("bare", tmp_path)
    with pytest.raises(SettingsError, match="'bare' has no chat template: .*template: chat.jinja"):
        checkpoint.tokenizer(bare)
    assert checkpoint.tokenizer(bare, "{{ messages }}").chat_template == "{{ messages }}"


def test_a_template_is_the_text_of_a_file(tmp_path):
    (tmp_path / "chat.jinja").write_text("{{ messages }}")
    assert checkpoint.template("chat.jinja", tmp_path) == "{{ messages }}"
    assert checkpoint.template("", tmp_path) == ""
    with pytest.raises(SettingsError, match="template = 'chat.txt': there is no file .*chat.txt"):
        checkpoint.template("chat.txt", tmp_path)


def test_a_tokenizer_without_padding_pads_with_its_end(folder, tmp_path):
    shutil.copytree(folder / "base", tmp_path / "unpadded")
    config = tmp_path / "unpadded" / "tokenizer_config.json"
    said = json.loads(config.read_text())
    del said["pad_token"]
    config.write_text(json.dumps(said))
    made = checkpoint.tokenizer(checkpoint.found("unpadded", tmp_path))
    assert made.pad_token_id == made.eos_token_id


def test_four_bits_need_cuda(folder, monkeypatch):
    monkeypatch.setattr(checkpoint.torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="'4bit' needs a CUDA device"):
        checkpoint.quantised("4bit")


def test_four_bits_need_bitsandbytes(monkeypatch):
    monkeypatch.setattr(checkpoint.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(checkpoint, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="pip install bitsandbytes"):
        checkpoint.quantised("4bit")


def test_another_way_to_quantise_is_unknown():
    with pytest.raises(SettingsError, match="quantise = '3bit'; choices: 4bit"):
        checkpoint.quantised("3bit")


def test_shards_need_a_release_that_can_learn_beside_them(folder, monkeypatch):
    monkeypatch.setattr(checkpoint.transformers, "__version__", "5.22.4")
    found = checkpoint.found("base", folder)
    with pytest.raises(SettingsError, match="fsdp needs transformers 5.23 or newer, and this is 5.22.4"):
        checkpoint.opened(found, shards=2)
    assert checkpoint.opened(found, shards=1).model is not None

import json
import shutil

import pytest
from tiny import tiny

from openflywheel.base.errors import MissingExtra, SettingsError
from openflywheel.customize._tuning import checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("checkpoints")
    tiny(made / "base")
    return made


def test_a_path_is_found_from_the_folder_on_and_named_by_its_weights(folder):
    found = checkpoint.found("base", folder)
    assert (found.name, found.place, found.hub) == ("base", str(folder / "base"), False)
    assert found.said == {"name": "base", "path": "base", "sha256": found.sha256}
    assert len(found.sha256) == 64


def test_an_absolute_path_is_taken_as_it_is(folder, tmp_path):
    assert checkpoint.found(str(folder / "base"), tmp_path).place == str(folder / "base")


def test_what_is_neither_here_nor_on_the_hub_is_named_with_both(folder):
    with pytest.raises(SettingsError, match="base = 'nobody/nothing': .*is no folder.*Hugging Face hub"):
        checkpoint.found("nobody/nothing", folder)


def test_pickled_weights_are_refused(folder, tmp_path):
    shutil.copytree(folder / "base", tmp_path / "old")
    (tmp_path / "old" / "model.safetensors").rename(tmp_path / "old" / "pytorch_model.bin")
    with pytest.raises(SettingsError, match="weights as .*safetensors"):
        checkpoint.found("old", tmp_path)


def test_a_manifest_names_a_hubs_checkpoint_by_its_id():
    known = checkpoint.Checkpoint("Qwen/Qwen3-0.6B", "/cache/qwen", "ab", hub=True)
    assert known.said == {"name": "Qwen/Qwen3-0.6B", "hub": "Qwen/Qwen3-0.6B", "sha256": "ab"}


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

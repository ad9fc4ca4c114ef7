"""Checkpoints on disk: found where the manifest says, known by their weights, opened without a word."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments import checkpoint

sys.path.append(str(Path(__file__).parents[2] / "customize"))
from tiny import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("checkpoints")
    tiny(made / "base")
    return made


def base(folder, path="base", **more):
    return {"name": "tiny", "path": path, "sha256": checkpoint.fingerprint(folder / "base"), **more}


def test_a_path_is_relative_to_the_folder_or_absolute(folder, tmp_path):
    assert checkpoint.local(base(folder), folder) == folder / "base"
    assert checkpoint.local(base(folder, str(folder / "base")), tmp_path) == folder / "base"


def test_a_path_may_begin_with_the_home(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert checkpoint.local(base(folder, "~/base"), tmp_path) == folder / "base"


def test_weights_that_changed_are_refused_with_both_hashes(folder, tmp_path):
    shutil.copytree(folder / "base", tmp_path / "base")
    known = base(folder)
    weights = tmp_path / "base" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    now = checkpoint.fingerprint(tmp_path / "base")
    with pytest.raises(StoreError) as refused:
        checkpoint.local(known, tmp_path)
    for said in ("tiny", now[:12], known["sha256"][:12], "put the old ones back or teach a new model"):
        assert said in str(refused.value)


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_weights_is_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "pytorch_model.bin").touch()
    with pytest.raises(StoreError, match=f"no checkpoint in {tmp_path}/{name}: weights as .*safetensors"):
        checkpoint.fingerprint(tmp_path / name)


def test_what_is_no_weight_does_not_count(folder, tmp_path):
    shutil.copytree(folder / "base", tmp_path / "base")
    (tmp_path / "base" / "config.json").write_text("{}")
    (tmp_path / "base" / "README.md").touch()
    assert checkpoint.fingerprint(tmp_path / "base") == checkpoint.fingerprint(folder / "base")


@given(
    one=st.dictionaries(st.sampled_from("abc"), st.binary(max_size=4), min_size=1),
    other=st.dictionaries(st.sampled_from("abc"), st.binary(max_size=4), min_size=1),
)
def test_weights_in_several_files_are_known_by_names_and_contents(one, other, tmp_path_factory):
    """A single file is known by its content alone, whatever its name."""
    found = []
    for files in (one, other):
        place = tmp_path_factory.mktemp("weights")
        for name, content in reversed(files.items()):
            (place / f"{name}.safetensors").write_bytes(content)
        found.append(checkpoint.fingerprint(place))
    alike = list(one.values()) == list(other.values()) if len(one) == len(other) == 1 else one == other
    assert (found[0] == found[1]) is alike


def test_a_model_is_opened_to_be_asked_and_nothing_is_shown(folder, capfd):
    from transformers.utils import logging

    logging.enable_progress_bar()
    model, words = checkpoint.loaded(folder / "base")
    assert capfd.readouterr() == ("", "")
    assert logging.is_progress_bar_enabled()
    assert not model.training
    assert {parameter.dtype for parameter in model.parameters()} <= {torch.float32, torch.bfloat16}
    assert words.padding_side == "left"


def test_bars_that_were_off_stay_off_also_after_an_error(folder, tmp_path):
    from transformers.utils import logging

    for bars, turn in ((False, logging.disable_progress_bar), (True, logging.enable_progress_bar)):
        turn()
        with pytest.raises(OSError, match="nothing"):
            checkpoint.loaded(tmp_path / "nothing")
        assert logging.is_progress_bar_enabled() is bars

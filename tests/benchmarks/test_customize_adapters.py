"""Adapters made for the swaps: real files that a generator opens, each another one."""

import numpy as np
import pytest
import torch

from benchmarks.customize.adapters import RANK, SPECIAL, Adapters, made
from openflywheel.base.errors import StoreError
from openflywheel.base.forms import opened
from openflywheel.base.instruments import artefact, checkpoint

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft 0.21
CHAT = [{"role": "user", "content": "where is my parcel?"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def adapters(folder):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Adapters(folder, 2)
    torch.set_num_threads(before)


def test_a_base_is_the_same_each_time_it_is_made(adapters, folder, tmp_path):
    again = made(tmp_path / "again")
    assert checkpoint.fingerprint(again) == checkpoint.fingerprint(folder / "base")
    model, words = checkpoint.loaded(again)
    assert 1.2e6 < model.num_parameters() < 1.8e6
    assert words.convert_tokens_to_ids(SPECIAL) == [0, 1, 2, 3]
    assert words.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True) == (
        "<|user|>where is my parcel?<|end|><|assistant|>"
    )


def test_an_adapter_is_kept_whole_with_its_base_and_nothing_else(adapters, folder, tmp_path):
    place = adapters.keep(tmp_path, "answer", 0)
    said = artefact.manifest(place)
    assert (said["form"], said["task"], said["kind"], said["method"]) == (
        "generator", "answer", "text", "lora",
    )  # fmt: skip
    assert said["base"] == {
        "name": "tiny", "path": str(folder / "base"), "sha256": checkpoint.fingerprint(folder / "base"),
    }  # fmt: skip
    weights = {name for name in said["files"] if "/" in name}
    assert weights == {"adapter/adapter_config.json", "adapter/adapter_model.safetensors"}
    assert adapters.keep(tmp_path, "answer", 0) == place
    assert [path.name for path in tmp_path.iterdir()] == [place.name]


def test_each_adapter_answers_otherwise(adapters, folder, tmp_path):
    places = [adapters.keep(tmp_path, "answer", number) for number in range(2)]
    assert places[0] != places[1]
    logits = []
    for adapter in (None, *(place / "adapter" for place in places)):
        model, words = checkpoint.loaded(folder / "base", adapter)
        with torch.inference_mode():
            logits.append(model(**words("where is my parcel?", return_tensors="pt")).logits[0, -1].numpy())
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(logits[one] - logits[other]).max() > 1e-3


def test_several_stand_beside_each_other_as_they_do_alone(adapters, folder, tmp_path):
    places = {f"a{number}": adapters.keep(tmp_path, "answer", number) / "adapter" for number in range(2)}
    model, words = checkpoint.loaded(folder / "base")
    asked = words("cancel my order", return_tensors="pt")
    many = checkpoint.beside(model, places)
    assert set(many.peft_config) == {"a0", "a1"}
    assert {config.r for config in many.peft_config.values()} == {RANK}
    assert not many.training
    for name, place in places.items():
        many.set_adapter(name)
        alone, _ = checkpoint.loaded(folder / "base", place)
        with torch.inference_mode():
            assert torch.allclose(many(**asked).logits, alone(**asked).logits, atol=1e-4)


def test_one_is_opened_and_writes(adapters, tmp_path):
    place = adapters.keep(tmp_path, "answer", 1)
    generator = opened(place, {"folder": tmp_path})
    first, again = (generator.write([CHAT], most_tokens=4) for _ in range(2))
    assert len(first) == 1
    assert first == again


def test_one_without_its_base_is_refused(adapters, folder, tmp_path):
    place = adapters.keep(tmp_path, "answer", 0)
    (folder / "base").rename(folder / "elsewhere")
    try:
        with pytest.raises(StoreError, match=r"there is no checkpoint in .*base: weights as \*\.safetensors"):
            opened(place, {"folder": tmp_path})
    finally:
        (folder / "elsewhere").rename(folder / "base")

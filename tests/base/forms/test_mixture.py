import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from openflywheel.base import forms
from openflywheel.base.errors import EncoderError, StoreError
from openflywheel.base.forms.generator import Generator
from openflywheel.base.forms.head import Head
from openflywheel.base.forms.mixture import FORM, Mixture, asked, opened
from openflywheel.base.instruments import artefact, checkpoint
from openflywheel.base.instruments.answers import Labelling, Writing
from openflywheel.base.instruments.checkpoint import fingerprint
from openflywheel.base.instruments.ngrams import NgramEncoder

sys.path.append(str(Path(__file__).parents[2] / "customize"))
from tiny import tiny

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")  # peft 0.21

ENCODER = NgramEncoder()
TEXTS = ("book a flight to rome", "my phone has no signal")
DOMAINS = ("air", "mobile.net/keys")  # no name that a module of torch could have


def router(encoder=ENCODER.name):
    """The text itself is the most like its own domain."""
    return Head(DOMAINS, ENCODER.encode(TEXTS).T.copy(), np.zeros(2, np.float32), encoder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A base, and an adapter for each domain that makes the model write as much as its domain's."""
    folder = tmp_path_factory.mktemp("mixture")
    base = tiny(folder / "base", "qwen3")
    for number in range(2):
        torch.manual_seed(number)
        config = LoraConfig(
            r=4, lora_alpha=64, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
        )
        get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(
            folder / str(number)
        )
    return folder


def keep(folder, artefacts, **changed):
    base = {"name": "base", "path": "base", "sha256": fingerprint(folder / "base")}
    head = changed.pop("head", router())
    files = {
        f"adapters/{number}/{name}": folder / str(number) / name
        for number in range(2)
        for name in ("adapter_model.safetensors", "adapter_config.json")
    }
    said = {"form": FORM, "base": base, "router": head.said, "adapters": ["adapters/0", "adapters/1"]}
    return artefact.keep(artefacts, {**said, **changed}, head.tensors, files)


@pytest.fixture(scope="module")
def mixture(folder):
    return opened(keep(folder, folder), encoder=ENCODER, folder=folder)


def user(text):
    return [{"role": "user", "content": text}]


def test_each_chat_is_answered_by_the_adapter_of_its_domain(folder, mixture):
    chats = [user(TEXTS[i]) for i in (1, 0, 1)]
    assert mixture.domains(chats) == [DOMAINS[1], DOMAINS[0], DOMAINS[1]]
    merged = [Generator(*checkpoint.loaded(folder / "base", folder / str(i))) for i in range(2)]
    expected = [merged[i].write([user(TEXTS[i])], most_tokens=6)[0] for i in (1, 0, 1)]
    assert mixture.write(chats, most_tokens=6) == expected
    assert merged[0].write(chats, most_tokens=6) != merged[1].write(chats, most_tokens=6)


def test_it_writes_and_does_not_label(mixture):
    assert isinstance(mixture, Writing)
    assert not isinstance(mixture, Labelling)


def test_nobody_asks_and_nothing_is_written(mixture):
    assert mixture.write([]) == []


def test_what_the_person_said_last_comes_first_and_others_are_not_heard():
    chat = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "hi"},
        {"role": "user", "content": "my phone"},
    ]
    assert asked(chat) == "my phone\nhello"


def test_it_is_opened_by_its_form(folder, tmp_path):
    place = keep(folder, tmp_path)
    assert isinstance(forms.opened(place, {"encoder": ENCODER, "folder": folder, "ask": None}), Mixture)


def test_a_template_of_its_own_goes_before_the_checkpoints(folder, tmp_path):
    place = keep(folder, tmp_path, template="{{ messages[0]['content'] }}")
    assert opened(place, encoder=ENCODER, folder=folder).generator.template.prompt(user("a"), 9) == [
        *opened(place, encoder=ENCODER, folder=folder).generator.tokenizer("a")["input_ids"]
    ]


def test_another_encoder_is_refused(folder, tmp_path):
    place = keep(folder, tmp_path, head=router("minilm"))
    with pytest.raises(EncoderError, match="chooses its adapters by the encoder 'minilm'.*flywheel doctor"):
        opened(place, encoder=ENCODER, folder=folder)


def test_another_base_is_refused(folder, tmp_path):
    base = {"name": "base", "path": "base", "sha256": "ab" * 32}
    with pytest.raises(StoreError, match="the weights of base .*other ones"):
        opened(keep(folder, tmp_path, base=base), encoder=ENCODER, folder=folder)


def test_a_changed_adapter_is_refused(folder, tmp_path):
    place = keep(folder, tmp_path)
    config = place / "adapters/1/adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "r": 5}))
    with pytest.raises(StoreError, match="adapters/1/adapter_config.json"):
        opened(place, encoder=ENCODER, folder=folder)


def test_an_adapter_that_its_manifest_names_and_it_does_not_hold(folder, tmp_path):
    place = keep(folder, tmp_path, adapters=["adapters/0", "adapters/7"])
    with pytest.raises(StoreError, match="lacks an adapter: there is no .*adapters/7"):
        opened(place, encoder=ENCODER, folder=folder)

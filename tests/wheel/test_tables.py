"""Which bases flywheel.yaml names, and that a model's base is fetched only if it is one of them."""

import pytest
from huggingface_hub import constants

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Model
from openflywheel.base.settings import parse
from openflywheel.wheel.opening import Opener
from openflywheel.wheel.tables import bases

HUB = "somebody/tiny"
NAMED = f"serve: {{generators: {{gpu: {{base: {HUB}}}}}, "
YAML = """\
name: desk
store: wheel
tasks: {route: {kind: label}, answer: {kind: text}}
customize:
  - lora: {base: owner/of-lora}
  - distil: {student: lora, using: {base: owner/of-student}}
  - distil: {using: {base: [1]}}
  - head: {}
serve: {generators: {gpu: {engine: vllm, url: "http://x/v1", base: owner/served}, own: {}}}
"""


def test_bases_are_those_of_trainers_students_and_generators():
    known = {"owner/of-lora", "owner/of-student", "owner/served"}
    assert bases(parse(YAML)) == known
    assert bases(parse(YAML, rooms=("serve",))) == {"owner/served"}


def test_without_any_there_are_none():
    assert bases(parse("name: desk\nstore: wheel\ntasks: {route: {kind: label}}\n")) == frozenset()


@pytest.fixture
def taught(new, reopen, tmp_path, monkeypatch):
    """Opens a model whose base lies on the hub, with changes to flywheel.yaml; no hub can be reached."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    def opened(*changes):
        wheel = reopen(new, *changes)
        said = {"form": "generator", "base": {"name": HUB, "hub": HUB, "sha256": "0" * 64}}
        place = artefact.keep(wheel.store.artefacts, said)
        model = Model(name="m", task="route", base="", method="t", taught_by=(), uri=f"models/{place.name}")
        return Opener(wheel.settings, wheel.store, NgramEncoder())(model)

    return opened


def test_a_base_that_flywheel_yaml_does_not_name_is_not_fetched(taught):
    with pytest.raises(StoreError, match=f"not in the local cache .*hf download {HUB}"):
        taught()


def test_one_that_it_names_is(taught):
    with pytest.raises(StoreError, match=f"'{HUB}' cannot be had from the Hugging Face hub"):
        taught(("serve: {", NAMED))

"""A model to serve, from its artefact's manifest; which generator takes it."""

from pathlib import Path

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.serve._generators.champion import Champion, chosen
from openflywheel.serve.generators import Generator

FILES = {"adapter/adapter_config.json": "digest"}
BASE = {"name": "Qwen3 0.6B", "hub": "Qwen/Qwen3-0.6B", "sha256": "abc", "other": 1}


def of(**manifest) -> Champion:
    return Champion.of("m1", Path("/models/m1"), {"files": FILES, **manifest})


def test_it_knows_its_base_and_its_adapter():
    found = of(base=BASE)
    assert found.base == {"name": "Qwen3 0.6B", "hub": "Qwen/Qwen3-0.6B", "sha256": "abc"}
    assert (found.adapted, found.adapter) == (True, Path("/models/m1/adapter"))


def test_a_whole_checkpoint():
    found = of(files={"checkpoint/config.json": "digest"}, instruction="Be brief.")
    assert (found.base, found.adapted, found.instruction) == ({}, False, "Be brief.")
    assert not found.outside
    assert of(base=BASE).outside


def test_the_chat_template_that_it_was_taught_with():
    assert of(template="{{ messages }}").template == "{{ messages }}"
    assert of().template == ""


@pytest.mark.parametrize("base", ["Qwen3 0.6B", "Qwen/Qwen3-0.6B"])
def test_the_generator_of_its_base_takes_it(base):
    generators = {"other": Generator(base="Llama"), "right": Generator(base=base)}
    assert chosen(generators, of(base=BASE)) == "right"


def test_one_without_a_base_takes_any():
    assert chosen({"a": Generator(base="Llama"), "any": Generator()}, of()) == "any"


WHOLE = {"files": {"checkpoint/config.json": "digest"}}


@pytest.mark.parametrize("own", [WHOLE, {"instruction": "Be brief."}, {"template": "{{ messages }}"}])
def test_one_that_vllm_cannot_load_goes_on_to_the_next(own):
    generators = {
        "gpu": Generator(engine="vllm", url="http://g/v1", base="Qwen/Qwen3-0.6B"),
        "own": Generator(engine="transformers"),
    }
    assert chosen(generators, of(base=BASE)) == "gpu"
    assert chosen(generators, of(base=BASE, **own)) == "own"


def test_llamacpp_takes_all_but_an_instruction():
    generators = {"cpu": Generator(engine="llamacpp"), "own": Generator(engine="transformers")}
    assert chosen(generators, of(base=BASE, template="{{ messages }}")) == "cpu"
    assert chosen(generators, of(**WHOLE)) == "cpu"
    assert chosen(generators, of(base=BASE, instruction="Be brief.")) == "own"


def test_nobody_can_load_it():
    generators = {"gpu": Generator(engine="vllm", url="http://g/v1"), "other": Generator(base="Llama")}
    with pytest.raises(
        SettingsError,
        match=r"none can load m1: gpu \(vllm\) not a whole checkpoint; add one with  engine: transformers",
    ):
        chosen(generators, of(base={"name": "Qwen3 0.6B"}, **WHOLE))


def test_nobody_takes_it():
    with pytest.raises(SettingsError, match=r"none serves the base of m1, Qwen.*: there is a \(Llama\); add"):
        chosen({"a": Generator(base="Llama")}, of(base=BASE))

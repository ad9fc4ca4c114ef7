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


@pytest.mark.parametrize("base", ["Qwen3 0.6B", "Qwen/Qwen3-0.6B"])
def test_the_generator_of_its_base_takes_it(base):
    generators = {"other": Generator(base="Llama"), "right": Generator(base=base)}
    assert chosen(generators, of(base=BASE)) == "right"


def test_one_without_a_base_takes_any():
    assert chosen({"a": Generator(base="Llama"), "any": Generator()}, of()) == "any"


def test_nobody_takes_it():
    with pytest.raises(SettingsError, match=r"none serves the base of m1, Qwen.*: there is a \(Llama\); add"):
        chosen({"a": Generator(base="Llama")}, of(base=BASE))

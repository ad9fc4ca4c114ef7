"""A process that serves models fetches no base from the hub that its generator does not name."""

import pytest
from huggingface_hub import constants

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments import artefact
from openflywheel.serve._generators import host_llamacpp, host_transformers
from openflywheel.serve._generators.champion import Champion
from openflywheel.serve.generators import Generator

HUB = "somebody/tiny"
BASE = {"name": HUB, "hub": HUB, "sha256": "0" * 64, "config_sha256": "1" * 64, "revision": "a" * 40}


@pytest.fixture(params=["llamacpp", "transformers"])
def load(request, tmp_path, monkeypatch):
    """Loads a model whose base lies on the hub; no hub can be reached."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    engine = {"llamacpp": host_llamacpp, "transformers": host_transformers}[request.param]
    (tmp_path / "models").mkdir()
    place = artefact.keep(tmp_path / "models", {"form": "generator", "base": BASE})
    champion = Champion.of("m1", place, artefact.manifest(place))

    def loaded(base):
        hosting = engine.Hosting(Generator(engine=request.param, base=base), tmp_path / "made", tmp_path)
        try:
            return hosting.load(champion)
        finally:
            hosting.close()

    return loaded


def test_a_base_that_it_does_not_name_is_not_fetched(load):
    with pytest.raises(StoreError, match=f"not in the local cache .*hf download {HUB} --revision {'a' * 40}"):
        load("")


def test_one_that_it_names_is(load):
    with pytest.raises(StoreError, match=f"'{HUB}' cannot be had from the Hugging Face hub"):
        load(HUB)


@pytest.mark.parametrize("wrong", ["../../outside", "", "A" * 64])
def test_a_digest_of_a_configuration_that_is_none_names_no_file(tmp_path, wrong):
    champion = Champion("m1", tmp_path, {**BASE, "config_sha256": wrong}, adapted=True)
    hosting = host_llamacpp.Hosting(Generator(engine="llamacpp"), tmp_path / "made", tmp_path)
    with pytest.raises(StoreError, match="is that of its base, which is none"):
        hosting.load(champion)


def test_all_that_tells_a_base_from_another_one_comes_with_a_champion(tmp_path):
    said = {"files": {}, "base": {**BASE, "quantised": "no"}}
    assert Champion.of("m1", tmp_path, said).base == BASE

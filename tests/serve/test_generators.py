"""The table of generators."""

import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError, UnknownSetting
from openflywheel.serve.generators import DEFAULT, Generator, generators
from openflywheel.serve.routes import CHAMPION, Route, Variant, routes

VLLM = {"engine": "vllm", "url": "http://gpu:8000/v1"}


def test_without_a_table_transformers_serve():
    assert generators() == DEFAULT
    assert [one.engine for one in DEFAULT.values()] == ["transformers"]


def test_names_are_the_users_own():
    found = generators(gpu=Generator(engine="vllm", url="http://gpu:8000/v1", base="qwen"), own=Generator())
    assert list(found) == ["gpu", "own"]


@pytest.mark.parametrize("url", ["", "gpu:8000", "ftp://gpu"])
def test_vllm_needs_an_address(url):
    with pytest.raises(SettingsError, match=r"serve\.generators: gpu: url = .* is no address"):
        generators(gpu=Generator(engine="vllm", url=url))


@pytest.mark.parametrize(
    ("name", "engine"),
    [("url", "llamacpp"), ("key", "transformers"), ("folder", "llamacpp"), ("gguf", "vllm")],
)
def test_a_setting_of_another_engine(name, engine):
    one = {"url": VLLM["url"]} if engine == "vllm" else {}
    with pytest.raises(SettingsError, match=f"a: {name} is a setting of the engine"):
        generators(a=Generator(engine=engine, **{**one, name: "http://x"}))


@pytest.mark.parametrize("name", ["parallel", "context", "threads"])
def test_counts_begin_at_one(name):
    with pytest.raises(SettingsError, match=f"a: {name} = 0"):
        generators(a=Generator(engine="llamacpp", **{name: 0}))


def test_the_champion_is_a_variant_and_never_a_fallback():
    own = {"own": Variant(model=CHAMPION)}
    assert routes(answer=Route(variants=own, fallback=("up/x",)))["answer"].variants == own
    with pytest.raises(SettingsError, match="fallback: flywheel/champion can only be a variant"):
        routes(answer=Route(variants=own, fallback=(CHAMPION,)))


def test_it_is_a_plugin_with_names_of_the_users_own():
    plugin = door.load("serve", "generators", {"gpu": VLLM})
    assert plugin()["gpu"].url == VLLM["url"]
    with pytest.raises(UnknownSetting, match="engine"):
        door.load("serve", "generators", {"gpu": {"engine": "ollama"}})

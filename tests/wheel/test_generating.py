"""Language models that were taught, and who serves them."""

from pathlib import Path

import pytest

from openflywheel.base.errors import SettingsError, StoreError
from openflywheel.base.instruments import artefact
from openflywheel.base.instruments.answers import Writing
from openflywheel.base.nouns import Model
from openflywheel.base.settings import Settings, read
from openflywheel.serve._fake.server import running
from openflywheel.serve._generators.child import Child
from openflywheel.serve._generators.vllm import VLLM
from openflywheel.store import Store
from openflywheel.wheel import generating

BASE = {"name": "tiny", "hub": "org/tiny", "sha256": "1"}
ADAPTER = {"adapter/adapter_config.json": b"{}", "adapter/adapter_model.safetensors": b"weights"}


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "wheel")
    yield store
    store.close()


def settings(tmp_path: Path, **generators) -> Settings:
    file = tmp_path / "flywheel.yaml"
    serve = f"serve: {{generators: {generators}}}" if generators else ""
    file.write_text(f"name: desk\nstore: wheel\ntasks: {{answer: {{kind: text}}}}\n{serve}\n")
    return read(file, ("serve",))


def kept(store: Store, form: str = "generator") -> Model:
    manifest = {"form": form, "task": "answer", "kind": "text", "base": BASE}
    place = artefact.keep(store.artefacts, manifest, files=ADAPTER)
    return Model(
        name="answer-lora",
        task="answer",
        base="tiny",
        method="lora",
        taught_by=("d1",),
        uri=f"models/{place.name}",
    )


def test_a_generator_is_found_in_its_artefact(store):
    model = kept(store)
    found = generating.champion(model, store)
    assert (found.id, found.base, found.adapted) == (model.id, BASE, True)
    assert found.adapter == (store.path / model.uri / "adapter").absolute()


def test_other_forms_are_not_for_generators(store, tmp_path):
    model = kept(store, "prompt")
    assert generating.champion(model, store) is None
    lent = generating.written_by(model, settings(tmp_path), store)
    with pytest.raises(TypeError, match=r"open it with forms\.opened"), lent:
        raise AssertionError


def test_one_that_was_changed_on_disk(store):
    model = kept(store)
    (store.path / model.uri / "adapter" / "adapter_config.json").write_text("{ }")
    with pytest.raises(StoreError, match="was changed on disk"):
        generating.champion(model, store)


def test_each_engine(store, tmp_path):
    told = settings(
        tmp_path, gpu={"engine": "vllm", "url": "http://g/v1"}, cpu={"engine": "llamacpp"}, plain={}
    )
    kinds = [type(generating.engine(name, told, store)) for name in ("gpu", "cpu", "plain")]
    assert kinds == [VLLM, Child, Child]


def test_it_writes_as_its_generator_does(store, tmp_path, monkeypatch):
    monkeypatch.setenv("VLLM_ALLOW_RUNTIME_LORA_UPDATING", "1")
    with running({"prices": {"tiny": {}}}) as vllm:
        told = settings(tmp_path, gpu={"engine": "vllm", "url": vllm.url, "base": "org/tiny"})
        with generating.written_by(kept(store), told, store) as writing:
            assert isinstance(writing, Writing)
            assert writing.write([[{"role": "user", "content": "hello"}]]) == ["Echo: hello"]


def test_nobody_serves_its_base(store, tmp_path):
    told = settings(tmp_path, cpu={"engine": "llamacpp", "base": "other"})
    lent = generating.written_by(kept(store), told, store)
    with pytest.raises(SettingsError, match=r"none serves the base of .*: there is cpu \(other\)"), lent:
        raise AssertionError

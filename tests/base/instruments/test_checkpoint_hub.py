"""Checkpoints of the hub: opened from the local cache; only those that flywheel.yaml names are fetched."""

import json
import shutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants

from openflywheel.base.errors import MissingExtra, StoreError
from openflywheel.base.instruments import checkpoint

sys.path.append(str(Path(__file__).parents[2] / "customize"))
from tiny import tiny

HUB, OLD, NEW = "somebody/tiny", "a" * 40, "b" * 40


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("checkpoints") / "base")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub that knows nothing, an empty local cache, and the paths that the hub was asked for."""
    asked = []

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever).start()
    yield asked
    server.shutdown()
    server.server_close()


def cached(tmp_path, weights, commit=OLD, newest=""):
    """A commit in the local cache, as the hub's own client leaves it there."""
    repository = tmp_path / "cache" / f"models--{HUB.replace('/', '--')}"
    shutil.copytree(weights, repository / "snapshots" / commit)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(newest or commit)
    return repository / "snapshots" / commit


def base(weights, **more):
    return {"name": HUB, "hub": HUB, "sha256": checkpoint.fingerprint(weights), **more}


def test_a_base_that_nobody_names_is_not_fetched(hub, weights, tmp_path):
    with pytest.raises(StoreError) as refused:
        checkpoint.local(base(weights), tmp_path)
    assert hub == []
    for said in (f"'{HUB}'", f"base: {HUB}", f"hf download {HUB}"):
        assert said in str(refused.value)


def test_the_next_command_fetches_the_very_commit(hub, weights, tmp_path):
    cached(tmp_path, weights, NEW)
    with pytest.raises(StoreError, match=f"hf download {HUB} --revision {OLD}"):
        checkpoint.local(base(weights, revision=OLD), tmp_path)
    assert hub == []


def test_a_base_that_is_named_is_fetched(hub, weights, tmp_path):
    with pytest.raises(StoreError, match=f"'{HUB}' cannot be had from the Hugging Face hub"):
        checkpoint.local(base(weights, revision=OLD), tmp_path, [HUB])
    assert any(f"{HUB}/tree/{OLD}" in path for path in hub)


def test_a_base_in_the_cache_is_opened_and_nobody_is_asked(hub, weights, tmp_path):
    place = cached(tmp_path, weights)
    assert checkpoint.local(base(weights), tmp_path) == place
    assert hub == []


def test_a_model_is_opened_at_the_commit_that_it_was_taught_on(hub, weights, tmp_path):
    place = cached(tmp_path, weights, OLD, newest=NEW)
    newer = cached(tmp_path, weights, NEW)
    (newer / "model.safetensors").unlink()
    assert checkpoint.revision(place) == OLD
    assert checkpoint.local(base(weights, revision=OLD), tmp_path) == place
    assert checkpoint.local(base(weights, revision=OLD), tmp_path, [HUB]) == place
    with pytest.raises(StoreError, match=f"no checkpoint in .*{NEW}"):
        checkpoint.local(base(weights), tmp_path)


def test_a_folder_that_is_no_commit_has_no_revision():
    assert checkpoint.revision(Path("models/base")) == checkpoint.revision(Path("A" * 40)) == ""


@pytest.mark.parametrize("revision", ["main", "../../secrets", "a" * 39])
def test_a_revision_is_a_commit(hub, weights, tmp_path, revision):
    with pytest.raises(StoreError, match="is no commit"):
        checkpoint.local(base(weights, revision=revision), tmp_path, [HUB])
    assert hub == []


def test_without_the_hubs_client_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"'huggingface_hub': pip install 'openflywheel\[lora\]'"):
        checkpoint.downloaded(HUB)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "chat_template.jinja"])
def test_what_stands_beside_the_weights_is_compared_as_well(weights, tmp_path, name):
    shutil.copytree(weights, tmp_path / "base")
    said = {"name": "base", "path": "base", "sha256": checkpoint.fingerprint(weights)}
    known = {**said, "config_sha256": checkpoint.config_fingerprint(weights)}
    assert checkpoint.local(known, tmp_path) == tmp_path / "base"
    file = tmp_path / "base" / name
    file.write_text(file.read_text() + " ")
    with pytest.raises(StoreError, match="the configuration, tokenizer or chat template of base in .* other"):
        checkpoint.local(known, tmp_path)
    assert checkpoint.local(said, tmp_path) == tmp_path / "base"  # taught before this was compared


def test_what_does_not_change_answers_does_not_count(weights, tmp_path):
    shutil.copytree(weights, tmp_path / "base")
    (tmp_path / "base" / "README.md").touch()
    (tmp_path / "base" / "model.safetensors.index.json").write_text(json.dumps({}))
    assert checkpoint.config_fingerprint(tmp_path / "base") == checkpoint.config_fingerprint(weights)

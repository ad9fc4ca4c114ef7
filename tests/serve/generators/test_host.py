"""The process that serves, as its parent talks to it: lines of JSON."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

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
    process.stdin.write(msgspec.json.encode(said, enc_hook=str).decode() + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def test_what_goes_wrong_is_told_and_the_next_one_is_served(tmp_path, named):
    with started(tmp_path, "llamacpp") as process:
        said = ask(process, {"load": named("a", base={"name": "b", "path": "nowhere", "sha256": "1"})})
        assert "there is no checkpoint in" in said["error"]
        assert ask(process, {"unload": named("a")}) == {"url": ""}


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

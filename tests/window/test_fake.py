"""The command `flywheel fake-provider`: models and sources on one port, under one script."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.window._fake import told

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`flywheel fake-provider` in a process of its own."""
    started: list[subprocess.Popen[str]] = []
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # it may come ignored
        "from openflywheel.window._fake import COMMANDS; COMMANDS['fake-provider']()"
    )

    def begin(*arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", code, "--port", "0", *arguments]
        started.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=tmp_path))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_models_and_sources_answer_on_one_port(start: Start, tmp_path: Path) -> None:
    script = {"rules": [{"answer": "told"}], "sources": {"keys": ["bd-test"], "looks": 0}}
    (tmp_path / "script.json").write_text(json.dumps(script))
    process = start("--script", "script.json")
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    root = url.removesuffix("/v1")
    asked = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    answer = httpx2.post(f"{url}/chat/completions", json=asked).json()
    assert answer["choices"][0]["message"]["content"] == "told"
    found = httpx2.get(f"{root}/search", params={"q": "battery", "format": "json"}).json()["results"]
    assert httpx2.get(found[0]["url"]).status_code == 200
    assert httpx2.get(f"{root}/datasets/list").status_code == 401
    key = {"Authorization": "Bearer bd-test"}
    assert len(httpx2.get(f"{root}/datasets/list", headers=key).json()) == 5
    assert len(httpx2.get(f"{root}/fake/requests").json()) == 1  # the models' own
    assert len(httpx2.get(f"{root}/fake/sources/requests").json()) == 4
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)
    assert rest == ""
    assert "Traceback" not in errors


def test_a_script_has_two_parts() -> None:
    models, sources = told(b'{"keys": ["sk"], "sources": {"keys": ["bd"], "errors": 0}}')
    assert models.keys == ("sk",)
    assert (sources.keys, sources.errors) == (("bd",), 0)
    assert told(b"{}")[1].looks == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[", "the script cannot be used"),
        (b"[]", "the script cannot be used"),
        (b'{"rulez": []}', "has no field 'rulez'"),
        (b'{"sources": {"lookz": 1}}', "the sources' script cannot be used"),
    ],
)
def test_a_wrong_part_is_named(text: bytes, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        told(text)

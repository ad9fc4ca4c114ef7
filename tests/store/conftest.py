import subprocess
import sys

import pytest

from openflywheel.base.nouns import Exchange
from openflywheel.store import Store


@pytest.fixture
def store(tmp_path):
    """A new store."""
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


@pytest.fixture
def said():
    """text -> an exchange in which a person said it."""

    def make(text: str, **fields) -> Exchange:
        given = {"episode": "e", "task": "route", "input": text, "output": "orders", "variant": "m"}
        return Exchange(**given | fields)

    return make


@pytest.fixture
def process():
    """Python code and its arguments -> a running process, killed at the end if it still runs."""
    running = []

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for one in running:
        one.kill()
        one.wait()
        one.stdout.close()

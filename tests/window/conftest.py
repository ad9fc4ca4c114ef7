"""A small flywheel that people have used, and its command line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window._first_files import SEEDS, SETTINGS
from openflywheel.window.terminal import main

Run = Callable[..., Result]

# Nobody is held out: who would be is drawn by lot, and these tests need the same questions every time.
QUICK = SETTINGS.replace("store: wheel ", "encoder: ngrams\nstore: wheel ").replace("share: 0.05", "share: 0")
MESSAGES = {
    "where has my parcel got to": "delivery",
    "the package is late": "delivery",
    "send back a broken lamp": "returns",
    "return the wrong size": "returns",
    "charged twice for one order": "billing",
    "invoice for my payment": "billing",
    "cannot log in": "account",
    "change the password of my account": "account",
    "do you sell gift cards": "other",
    "my parcel says delivered": "delivery",
    "money back for the chair": "returns",
    "which payment do you take": "billing",
}


def begin(folder: Path) -> Path:
    """The two files of `flywheel init`, with the quick encoder."""
    (folder / "flywheel.yaml").write_text(QUICK)
    (folder / "seeds.jsonl").write_text(SEEDS)
    return folder


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flywheel after two turns: people asked, were answered, corrected; experts have open questions."""
    folder = begin(tmp_path_factory.mktemp("used"))
    with Flywheel.open(folder / "flywheel.yaml") as wheel:
        wheel.turn()
        for number, (text, right) in enumerate(MESSAGES.items()):
            exchange = wheel.ask("route", text, subject=f"person {number}")
            if number % 3 == 0:
                wheel.signal(exchange, correction=right, comment="[bold]not this")
        wheel.turn()
    return folder


@pytest.fixture
def desk(used: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the working folder."""
    shutil.copytree(used, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def flywheel() -> Run:
    """Run a command line in this process."""
    runner = CliRunner()
    return lambda *args, input=None: runner.invoke(main, args, input=input, catch_exceptions=False)


@pytest.fixture
def ask_json(flywheel: Run) -> Callable[..., object]:
    """What a command prints with --json, which must be one document and the whole output."""

    def run(*args: str, input: str | None = None) -> object:
        result = flywheel(*args, "--json", input=input)
        return json.loads(result.stdout)

    return run

"""A small flywheel with every room on, and plugins of strangers."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from openflywheel.wheel.flywheel import Flywheel

YAML = """\
name: desk
store: wheel
encoder: ngrams
tasks: {route: {kind: label, costs: {call: 0.5, error: 6, person: 4}}}
collect: {files: {path: seeds.jsonl, basis: no_personal_data}, experts: {}, traffic: {basis: contract}}
curate: [normalise, redact, length, dedupe]
customize: {head: {}}
evaluate: {accuracy: {}}
guard: {pii: {}, secrets: {}}
serve: {cascade: {}}
signals: {uncertainty: {}, rephrase: {}}
study: {taught: {}, active: {}, audit: {}}
velocity: {bottleneck: {}}
wheel: {holdout: {share: 0.2}}
"""
SEEDS = {
    "refund": ["money back please", "where is my refund", "refund me now"],
    "parcel": ["where is my parcel", "parcel not here", "track my package"],
    "login": ["cannot sign in", "password forgotten", "login code missing"],
}


def _begin(folder: Path) -> Path:
    seeds = [f'{{"text": "{text}", "label": "{label}"}}\n' for label, ts in SEEDS.items() for text in ts]
    (folder / "seeds.jsonl").write_text("".join(seeds))
    (folder / "flywheel.yaml").write_text(YAML)
    return folder


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """The folder of a flywheel that has never turned."""
    return _begin(tmp_path)


@pytest.fixture(scope="session")
def _turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = _begin(tmp_path_factory.mktemp("turned"))
    with Flywheel.open(folder / "flywheel.yaml") as wheel:
        assert not [step.error for step in wheel.turn() if step.error]
    return folder


@pytest.fixture
def desk(_turned: Path, tmp_path: Path) -> Path:
    """The folder of a flywheel after its first turn: a champion serves."""
    return Path(shutil.copytree(_turned, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def reopen() -> Iterator[Callable[..., Flywheel]]:
    """Open the flywheel of a folder, with some text of its settings replaced; closed after the test."""
    opened = []

    def anew(folder: Path, *changes: tuple[str, str]) -> Flywheel:
        path = folder / "flywheel.yaml"
        for old, fresh in changes:
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, fresh))
        opened.append(Flywheel.open(path))
        return opened[-1]

    yield anew
    for wheel in opened:
        wheel.close()


@pytest.fixture
def wheel(desk: Path, reopen: Callable[..., Flywheel]) -> Flywheel:
    """That flywheel, open."""
    return reopen(desk)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Lay a stranger's plugin down as pip would, with its entry point; returns where."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def lay_down(room: str, name: str, code: str) -> Path:
        module = f"stranger_{name}"
        (site / f"{module}.py").write_text(code)
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[openflywheel.{room}]\n{name} = {module}:{name}\n")
        invalidate_caches()
        return site

    yield lay_down
    for name in [m for m in sys.modules if m.startswith("stranger_")]:
        del sys.modules[name]


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start code in another process, with pipes; what still runs after the test is stopped."""
    running: list[subprocess.Popen[str]] = []

    def start(code: str, *args: object, **options: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", code, *map(str, args)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, **{**pipes, **options}))
        return running[-1]

    yield start
    for child in running:
        child.kill()
        child.communicate()

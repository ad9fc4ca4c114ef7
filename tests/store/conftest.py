import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec import Struct

from openflywheel.base.nouns import Exchange
from openflywheel.store import Store
from openflywheel.store.database import choose
from openflywheel.store.journal import Journal


class Kept(Struct):
    """Where the journal of a test is kept: in the store's folder, or in a schema of PostgreSQL."""

    database: str | None
    name: str = ""

    def store(self, folder: Path) -> Store:
        return Store(folder, database=self.database, name=self.name)

    def journal(self, folder: Path, **options) -> Journal:
        return Journal(choose(folder, self.database, self.name, **options))

    @property
    def arguments(self) -> tuple[str, str]:
        """For another process: `database or None` and `name`."""
        return self.database or "", self.name


@pytest.fixture
def kept() -> Kept:
    """SQLite; a module whose tests hold for PostgreSQL too lets this be `both`."""
    return Kept(None)


@pytest.fixture(params=["sqlite", "postgres"])
def both(request) -> Kept:
    """SQLite, then PostgreSQL."""
    return Kept(None) if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def postgres(server) -> Kept:
    """A schema of its own in PostgreSQL."""
    return Kept(server.url("journals"), uuid4().hex)


@pytest.fixture
def store(tmp_path, kept):
    """A new store."""
    opened = kept.store(tmp_path / "wheel")
    yield opened
    opened.close()


@pytest.fixture
def journal(tmp_path, kept):
    """A new journal, without a store around it."""
    opened = kept.journal(tmp_path)
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

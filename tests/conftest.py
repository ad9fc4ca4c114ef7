"""What tests of several folders share: a fake provider, a real PostgreSQL."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from pwd import getpwall
from typing import Any

import hypothesis
import pytest

from openflywheel.serve._fake.server import Running, running

PASSWORD = "s3cret"

# A process speaks with or without tokens for good: Ray reads this once, and the second of two clusters of one
# process with different modes takes its driver for dead (OwnerDiedError). Cluster() has no token.
os.environ["RAY_AUTH_MODE"] = "disabled"

# No test is about time: a machine that is busy would fail it.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="module")
def _provider() -> Iterator[Running]:
    with running() as provider:
        yield provider


@pytest.fixture
def fake(_provider: Running) -> Running:
    """A provider that does what its script says; every test begins with an empty one."""
    _provider.script({})
    _provider.clear()
    return _provider


class Cluster:
    """A PostgreSQL cluster in a folder, on a free port of the loopback; it asks for a password."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries, self.folder = binaries, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.person: dict[str, Any] = {}
        if os.getuid() == 0:  # PostgreSQL does not run as root
            [user] = [u for u in getpwall() if u.pw_name in ("postgres", "nobody")][:1]
            self.person = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(folder, user.pw_uid, user.pw_gid)

    def run(self, *command: str) -> None:
        """Run one of PostgreSQL's programs on the cluster; what it said is in the error when it fails."""
        log = self.folder / "said"
        with log.open("w") as said:
            program = [self.binaries / command[0], "-D", self.folder / "data", *command[1:]]
            done = subprocess.run(
                program, cwd=self.folder, stdout=said, stderr=said, check=False, **self.person
            )
        assert done.returncode == 0, log.read_text()

    def __enter__(self) -> "Cluster":
        (self.folder / "password").write_text(PASSWORD)
        self.run("initdb", "-U", "wheel", "-A", "scram-sha-256", "--pwfile", "password", "--no-sync")
        self.start()
        return self

    def start(self) -> None:
        options = f"-F -p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self.run("pg_ctl", "start", "-w", "-l", "log", "-o", options)

    def stop(self, how: str = "fast") -> None:
        self.run("pg_ctl", "stop", "-w", "-m", how)

    def __exit__(self, *error: object) -> None:
        self.stop("immediate")

    def url(self, database: str, scheme: str = "postgresql", password: str = PASSWORD) -> str:
        """As a user writes it. The database need not be there."""
        return f"{scheme}://wheel:{password}@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A running cluster; skips where PostgreSQL is not installed."""
    # Debian keeps it off the PATH.
    debians = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    initdb = debians[-1] if debians else shutil.which("initdb")
    if initdb is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    # Not tmp_path: the server's user may not enter it.
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(initdb).parent, Path(folder)) as cluster:
        yield cluster

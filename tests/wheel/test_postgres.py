"""`database: postgresql://...` keeps turns in a real PostgreSQL; what cannot keep them is said clearly."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from pwd import getpwall
from typing import Any

import psycopg
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Step
from openflywheel.wheel import durable
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.ring import TURN

PASSWORD = "s3cret"
LABELS = {"refund": "money back please", "parcel": "where is my parcel", "login": "cannot sign in"}
SETTINGS = """
name: {name}
store: wheel
database: {url}
encoder: ngrams
tasks: {{route: {{kind: label}}}}
collect: {{files: {{path: seeds.jsonl}}, traffic: {{}}}}
curate: [normalise, dedupe]
customize: {{head: {{}}}}
evaluate: {{accuracy: {{}}}}
serve: {{cascade: {{}}}}
study: {{taught: {{}}}}
velocity: {{bottleneck: {{}}}}
"""
# Turns, and stands still once curate is kept in the journal but not yet noted by DBOS.
CHILD = """
import sys
from openflywheel.wheel.flywheel import Flywheel
def stop(step):
    if step.room == "curate":
        print("curate", flush=True)
        sys.stdin.read()
with Flywheel.open(sys.argv[1]) as wheel:
    wheel.turn(stop)
"""


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
        options = f"-F -p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self.run("pg_ctl", "start", "-w", "-l", "log", "-o", options)
        return self

    def __exit__(self, *error: object) -> None:
        self.run("pg_ctl", "stop", "-w", "-m", "immediate")

    def url(self, database: str, scheme: str = "postgresql", password: str = PASSWORD) -> str:
        """As a user writes it. The database need not be there."""
        return f"{scheme}://wheel:{password}@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="module")
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


def begin(folder: Path, url: str, name: str = "kept") -> Path:
    """The two files of a wheel."""
    folder.mkdir(exist_ok=True)
    rows = [f'{{"text": "{text}, {n}", "label": "{label}"}}' for label, text in LABELS.items() for n in "ab"]
    (folder / "seeds.jsonl").write_text("\n".join(rows))
    (folder / "flywheel.yaml").write_text(SETTINGS.format(name=name, url=url))
    return folder / "flywheel.yaml"


def turns(url: str) -> list[tuple[str, str]]:
    """The wheel and the state of every turn that DBOS knows."""
    with psycopg.connect(url) as held:
        return held.execute(
            "select application_version, status from dbos.workflow_status order by created_at"
        ).fetchall()


def pass_rooms(url: str, name: str = "bare") -> list[str]:
    """A turn of rooms that do nothing; returns those that were passed."""
    wheel = durable.Wheel(name, url, lambda room, turn: Step(room=room, turn=turn, took=0))
    try:
        return [step.room for step in durable.run_turn(wheel, ["collect", "serve"], 1)]
    finally:
        durable.release(wheel)


def use(wheel: Flywheel) -> None:
    """People ask and correct, so that a turn finds work."""
    for number, (label, text) in enumerate(LABELS.items()):
        exchange = wheel.ask("route", f"{text}, please", subject=f"person {number}")
        wheel.signal(exchange, correction=label)


def test_turns_are_kept_in_postgresql(server, tmp_path):
    url = server.url("kept")
    with Flywheel.open(begin(tmp_path, url)) as wheel:
        first = wheel.turn()
        use(wheel)
        second = wheel.turn()
        assert wheel.champion("route") is not None
    assert [step.room for step in first] == [step.room for step in second] == list(TURN)
    assert not [step.error for step in first + second if step.error]
    assert turns(url) == [("kept", "SUCCESS")] * 2
    assert not (tmp_path / "wheel" / "turns.db").exists()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_url_may_be_written_in_each_of_the_usual_ways(server, scheme):
    database = scheme.replace("+", "_")
    assert pass_rooms(server.url(database, scheme), scheme) == ["collect", "serve"]
    assert turns(server.url(database)) == [(scheme, "SUCCESS")]


@pytest.mark.fault
def test_a_turn_killed_inside_is_resumed_from_postgresql(server, tmp_path):
    url = server.url("killed")
    settings = begin(tmp_path / "killed", url, "killed")
    with Flywheel.open(settings) as wheel:
        wheel.turn()
        use(wheel)
    command = [sys.executable, "-c", CHILD, str(settings)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "curate\n"
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert turns(url) == [("killed", "SUCCESS"), ("killed", "PENDING")]

    # Another wheel on the same database leaves the killed turn alone.
    with Flywheel.open(begin(tmp_path / "other", url, "other")) as other:
        assert len(other.turn()) == len(TURN)
    assert turns(url)[1] == ("killed", "PENDING")

    seen = []
    with Flywheel.open(settings) as wheel:
        steps = wheel.turn(lambda step: seen.append(step.room))
        passed = Counter(step.room for step in wheel.store.all(Step))
    assert [step.room for step in steps] == list(TURN)
    assert not [step.error for step in steps if step.error]
    assert seen == list(TURN[TURN.index("curate") :])
    assert set(passed.values()) == {2}
    assert turns(url) == [("killed", "SUCCESS"), ("killed", "SUCCESS"), ("other", "SUCCESS")]


def test_a_wrong_password_is_told_but_not_shown(server, tmp_path):
    with (
        Flywheel.open(begin(tmp_path, server.url("kept", password="wr0ng"))) as wheel,
        pytest.raises(StoreError, match="password authentication failed") as caught,
    ):
        wheel.turn()
    assert "wr0ng" not in str(caught.value)


NOBODY = "127.0.0.1:1/turns"


@pytest.mark.parametrize(
    ("url", "shown", "said"),
    [
        (f"postgresql://ann:p4ss@{NOBODY}", f"postgresql://ann:***@{NOBODY}", "port 1 failed"),
        (f"postgresql://ann:p4/s:s@x@{NOBODY}", f"postgresql://ann:***@{NOBODY}", "cannot keep turns"),
        (f"postgresql://{NOBODY}?password=p4ss&a=b", f"//{NOBODY}?password=***&a=b", "cannot keep turns"),
        ("postgresql://ann:p4ss@127.0.0.1:one/turns", "ann:***@127.0.0.1:one/turns", "cannot keep turns"),
        ("mysql://ann:p4ss@localhost/turns", "mysql://ann:***@localhost/turns", "neither postgresql:// nor"),
        ("sqlite:////nowhere/turns.db", "sqlite:////nowhere/turns.db", "unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(url, shown, said, tmp_path):
    with Flywheel.open(begin(tmp_path, url)) as wheel:
        for _ in range(2):  # the first failure must not be in the way of the next
            with pytest.raises(StoreError, match="or correct  database:  in") as caught:
                wheel.turn()
            assert shown in str(caught.value)
            assert said in str(caught.value)
            assert "p4" not in str(caught.value)
            assert "\n" not in str(caught.value)


def test_the_terminal_says_it_in_one_line(tmp_path):
    settings = begin(tmp_path, f"postgresql://ann:p4ss@{NOBODY}")
    command = [sys.executable, "-m", "openflywheel", "turn", "-f", str(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: the database postgresql://ann:***@{NOBODY} cannot keep turns: ")
    assert (done.returncode, done.stdout) == (2, "")


def test_after_a_failure_the_next_wheel_turns(tmp_path):
    with pytest.raises(StoreError):
        pass_rooms(f"postgresql://{NOBODY}")
    assert pass_rooms(durable.local_url(tmp_path)) == ["collect", "serve"]

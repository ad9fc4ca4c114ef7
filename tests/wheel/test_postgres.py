"""`database: postgresql://...` keeps turns and journal in a real PostgreSQL; what cannot is said clearly."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Exchange, Step
from openflywheel.wheel import durable, installation
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.wheel.health import examine
from openflywheel.wheel.ring import TURN

LABELS = {"refund": "money back please", "parcel": "where is my parcel", "login": "cannot sign in"}
SETTINGS = """
name: {name}
store: wheel
database: {url}
encoder: ngrams
tasks: {{route: {{kind: label}}}}
collect: {{files: {{path: seeds.jsonl, basis: no_personal_data}}, traffic: {{basis: contract}}}}
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
    assert not (tmp_path / "wheel" / "live.db").exists()


def test_two_gateways_answer_and_one_of_them_turns(server, tmp_path):
    url = server.url("gateways")
    with (
        Flywheel.open(begin(tmp_path / "one", url)) as one,
        Flywheel.open(begin(tmp_path / "two", url)) as two,
    ):
        use(one)
        use(two)
        steps = one.turn()
        assert [e.id for e in one.store.all(Exchange)] == [e.id for e in two.store.all(Exchange)]
        assert one.store.counts() == two.store.counts()
        assert two.champion("route") == one.champion("route")
    assert not [step.error for step in steps if step.error]
    assert next(step.took for step in steps if step.room == "signals") == 2 * len(LABELS)


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
    url = server.url("kept", password="wr0ng")
    for ask in (lambda: Flywheel.open(begin(tmp_path, url)), lambda: pass_rooms(url)):
        with pytest.raises(StoreError, match="password authentication failed") as caught:
            ask()
        assert "wr0ng" not in str(caught.value)


NOBODY = "127.0.0.1:1/turns"


@pytest.mark.parametrize(
    ("url", "shown", "said"),
    [
        (f"postgresql://ann:p4ss@{NOBODY}", f"postgresql://ann:***@{NOBODY}", "port 1 failed"),
        (f"postgresql://ann:p4/s:s@x@{NOBODY}", f"postgresql://ann:***@{NOBODY}", "cannot "),
        (f"postgresql://{NOBODY}?password=p4ss&a=b", f"//{NOBODY}?password=***&a=b", "cannot "),
        ("postgresql://ann:p4ss@127.0.0.1:one/turns", "ann:***@127.0.0.1:one/turns", "cannot "),
        ("mysql://ann:p4ss@localhost/turns", "mysql://ann:***@localhost/turns", "neither postgresql:// nor"),
        ("sqlite:////nowhere/turns.db", "sqlite:////nowhere/turns.db", "unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(url, shown, said, tmp_path):
    def turn() -> None:
        with Flywheel.open(begin(tmp_path, url)) as wheel:
            wheel.turn()

    for ask in (turn, turn, lambda: pass_rooms(url)):  # the first failure must not be in the way of the next
        with pytest.raises(StoreError, match="correct  database:  in") as caught:
            ask()
        assert shown in str(caught.value)
        assert said in str(caught.value)
        assert "p4" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_doctor_tries_the_database_and_makes_nothing(server, tmp_path):
    settings = begin(tmp_path, server.url("doctor"))
    for _ in range(2):
        found = {check.name: check for check in examine(settings)}
        assert (found["database"].state, found["store"].state) == ("ok", "ok")
        assert "the database will be made" in found["database"].what
        assert not (tmp_path / "wheel").exists()
    Flywheel.open(settings).close()
    found = {check.name: check for check in examine(settings)}
    assert found["database"].what.startswith("PostgreSQL 1")
    assert "wheel: 1 rows" in found["store"].what


@pytest.mark.parametrize(
    "url", [f"postgresql://ann:p4ss@{NOBODY}", "mysql://ann:p4ss@x/y", "sqlite:////no/t.db"]
)
def test_the_doctor_says_what_is_wrong_with_the_database_and_leaves_the_store_alone(url, tmp_path):
    *_, last = examine(begin(tmp_path, url))
    assert (last.name, last.state) == ("database", "error")
    assert "p4ss" not in last.what
    assert last.remedy.startswith("start it, or correct  database:")
    assert installation.database(url) == last


def test_the_terminal_says_it_in_one_line(tmp_path):
    settings = begin(tmp_path, f"postgresql://ann:p4ss@{NOBODY}")
    command = [sys.executable, "-m", "openflywheel", "turn", "-f", str(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: the database postgresql://ann:***@{NOBODY} cannot be used: ")
    assert (done.returncode, done.stdout) == (2, "")


def test_after_a_failure_the_next_wheel_turns(tmp_path):
    with pytest.raises(StoreError):
        pass_rooms(f"postgresql://{NOBODY}")
    assert pass_rooms(durable.local_url(tmp_path)) == ["collect", "serve"]

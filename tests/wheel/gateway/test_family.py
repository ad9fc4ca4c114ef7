import os
import subprocess
import sys

from openflywheel.wheel.gateway import family

CHILD = "from openflywheel.wheel.gateway.family import orphaned; print(orphaned())"


def said_by_child(**environment):
    command = [sys.executable, "-c", CHILD]
    return subprocess.check_output(command, env={**os.environ, **environment}, text=True).strip()


def test_a_child_of_its_supervisor_is_no_orphan(monkeypatch):
    monkeypatch.setenv(family.SUPERVISOR, "")
    family.found()
    assert os.environ[family.SUPERVISOR] == str(os.getpid())
    assert said_by_child() == "False"


def test_a_process_whose_supervisor_died_before_it_was_up_is_one():
    assert said_by_child(**{family.SUPERVISOR: "1"}) == "True"


def test_without_a_supervisor_nobody_is_an_orphan(monkeypatch):
    monkeypatch.delenv(family.SUPERVISOR, raising=False)
    assert not family.orphaned()

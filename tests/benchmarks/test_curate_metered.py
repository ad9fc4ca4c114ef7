"""CPU-seconds of a command with all that it started. In processes of their own: it waits for every child."""

import os
import subprocess
import sys
import textwrap

import pytest

MEASURE = """
import sys
from pathlib import Path
from benchmarks.curate.metered import metered
spent = metered(*sys.argv[2:], folder=Path(sys.argv[1]))
print(spent.cpu, spent.wall, spent.said)
"""
BURN = """
import time
def burn(seconds):
    while time.process_time() < seconds:
        sum(range(1_000))
"""


@pytest.fixture
def metered(tmp_path):
    """Runs code as a module of its own, metered; gives the process."""

    def run(code, *arguments):
        (tmp_path / "burnt.py").write_text(textwrap.dedent(BURN))
        (tmp_path / "measured.py").write_text(textwrap.dedent(code))
        path = os.pathsep.join([str(tmp_path), *sys.path])
        command = [sys.executable, "-c", MEASURE, str(tmp_path / "folder"), "measured", *arguments]
        environment = os.environ | {"PYTHONPATH": path}
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, check=False, timeout=60
        )

    return run


def spent(done):
    assert done.returncode == 0, done.stderr
    cpu, wall, *said = done.stdout.strip().split(" ", 2)
    return float(cpu), float(wall), "".join(said)


def test_it_gives_the_last_line_and_what_was_burnt(metered, tmp_path):
    cpu, wall, said = spent(metered("""
        import sys
        from burnt import burn
        burn(0.3)
        print("first")
        print("last", sys.argv[1:])
    """, "one", "two"))  # fmt: skip
    assert said == "last ['one', 'two']"
    assert cpu >= 0.3
    assert wall > 0
    assert (tmp_path / "folder/output").read_text() == "first\nlast ['one', 'two']\n"


def test_children_count(metered):
    cpu, *_ = spent(metered("""
        import subprocess, sys
        subprocess.run([sys.executable, "-c", "from burnt import burn; burn(.4)"], check=True)
    """))  # fmt: skip
    assert cpu >= 0.4


ORPHAN = """
import os, sys, time
from burnt import burn
try:
    while True:
        os.kill(int(sys.argv[1]), 0)
        time.sleep(.01)
except ProcessLookupError:
    burn(.4)
    open(sys.argv[2], "w").write("done")
"""


@pytest.mark.parametrize("session", [False, True])
def test_orphans_count_and_are_waited_for(metered, tmp_path, session):
    """One that nobody waited for, as a fork server: it burns when the command has ended."""
    (tmp_path / "orphan.py").write_text(ORPHAN)
    cpu, *_ = spent(metered(f"""
        import os, subprocess, sys
        command = [sys.executable, "-m", "orphan", str(os.getpid()), {str(tmp_path / "late")!r}]
        subprocess.Popen(command, start_new_session={session})
    """))  # fmt: skip
    assert (tmp_path / "late").read_text() == "done"
    assert cpu >= 0.4


def test_a_command_does_not_count_what_the_one_before_it_took(tmp_path):
    (tmp_path / "burnt.py").write_text(BURN)
    (tmp_path / "hungry.py").write_text("from burnt import burn\nburn(0.8)")
    (tmp_path / "frugal.py").write_text("from burnt import burn")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    code = MEASURE + "\nprint(metered('frugal', folder=Path(sys.argv[1])).cpu)"
    command = [sys.executable, "-c", code, str(tmp_path / "folder"), "hungry"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}, check=True
    )
    first, second = done.stdout.splitlines()
    assert float(first.split()[0]) - float(second) > 0.4


def test_a_command_that_prints_nothing_says_nothing(metered):
    assert spent(metered("pass"))[2] == ""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit(3)", "measured ended with 3"),
        ("raise LookupError('the reason')", "LookupError: the reason"),
        ("import os; os.kill(os.getpid(), 9)", "measured ended with -9"),
        ("print('unfinished'); undefined", "NameError"),
    ],
)
def test_a_command_that_fails_says_why(metered, code, said):
    done = metered(code)
    assert done.returncode == 1
    assert "RuntimeError: measured ended with" in done.stderr
    assert said in done.stderr


def test_of_a_long_complaint_the_end_is_told(metered):
    done = metered("import sys; print('x' * 9_000, 'the end', file=sys.stderr); sys.exit(1)")
    assert "the end" in done.stderr
    assert "x" * 3_000 not in done.stderr


@pytest.mark.fault
def test_what_a_failed_command_started_is_ended(metered, tmp_path):
    done = metered(f"""
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
        sys.exit(1)
    """)
    assert "measured ended with 1" in done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "child").read_text()), 0)

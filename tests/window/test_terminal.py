"""The command line as a whole: help, one document with --json, errors in a line, leaving cleanly."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import click
import pytest

from openflywheel.store.lease import lease
from openflywheel.window.terminal import COMMANDS, main

# Each command as a person would type it, on the flywheel of the fixture `desk`.
LINES = {
    "init": ["-f", "other/flywheel.yaml"],
    "plugins": [],
    "schema": [],
    "ask": ["route", "where is it?"],
    "signal": ["EXCHANGE", "--rating", "-1"],
    "label": ["--limit", "1"],
    "simulate": ["messages.csv", "--task", "route", "--turns", "1", "--conversations", "4"],
    "turn": [],
    "spin": ["--turns", "1"],
    "map": [],
    "status": [],
    "readings": [],
    "why": ["route"],
    "doctor": [],
    "providers": [],
    "replay": ["--save", "calls.jsonl"],
    "signals": [],
    "collect": [],
    "curate": [],
}
ELSEWHERE = {
    "demo",
    "datasets",
    "models",
    "keys",
    "serve",
    "fake-provider",
}  # groups, and what runs until it is stopped
PYTHON = (sys.executable, "-m", "openflywheel")


def shell(*args, **options):
    """A real process."""
    return subprocess.run(
        [*PYTHON, *args], capture_output=True, text=True, check=False, timeout=120, **options
    )


@pytest.fixture
def line(desk, ask_json):
    """The arguments of a command, with a real exchange and a file of messages."""
    messages = ("text,label", "where is my parcel,delivery", "send it back,returns")
    (desk / "messages.csv").write_text("\n".join(messages) + "\n")
    yaml = desk / "flywheel.yaml"
    yaml.write_text(yaml.read_text().replace("or_after: 1h", "or_after: 0s"))

    def typed(name):
        exchange = ask_json("ask", "route", "and now?")["id"] if name == "signal" else ""
        return [name, *(exchange if word == "EXCHANGE" else word for word in LINES[name])]

    return typed


def test_every_command_is_tried_here():
    assert {*LINES, *ELSEWHERE} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json(name):
    command = main.get_command(click.Context(main), name)
    assert command.name == name
    assert len(command.help.splitlines()[0]) > 10
    if name not in ("datasets", "models", "keys", "serve"):  # groups
        assert "--json" in [option for param in command.params for option in param.opts]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_the_command_says(name):
    command = main.get_command(click.Context(main), name)
    assert command.help.splitlines()[0] == COMMANDS[name][1]


@pytest.mark.parametrize("name", LINES)
def test_with_json_a_command_prints_one_document(name, line, flywheel):
    result = flywheel(*line(name), "--json", input="")
    assert json.loads(result.stdout) is not None
    assert (result.exit_code, "error" in result.stderr) == (0, False)


@pytest.mark.parametrize("name", LINES)
def test_without_json_a_command_speaks_to_people(name, line, flywheel):
    result = flywheel(*line(name), input="")
    assert (result.exit_code, "error" in result.stderr) == (0, False)
    assert result.stdout.strip()
    assert "\x1b" not in result.output


@pytest.mark.parametrize("name", ["map", "status", "readings", "why", "turn"])
def test_reports_fit_into_80_columns(name, line, flywheel):
    result = flywheel(*line(name))
    assert max(len(row) for row in result.stdout.splitlines() if not row.startswith("Stored")) <= 80


def test_without_a_command_the_help_is_shown(flywheel):
    result = flywheel()
    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout for name in COMMANDS)
    assert result.stdout == flywheel("--help").stdout == flywheel("-h").stdout


def test_the_help_imports_nothing_heavy():
    code = (
        "import sys; from openflywheel.window.terminal import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(sorted({'rich', 'numpy', 'pyarrow', 'dbos', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_missing_library_is_one_line_that_installs_it():
    code = (
        "import sys; sys.modules['rich'] = None; from openflywheel.window.terminal import main; main(['map'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: flywheel map needs 'rich': pip install rich\n"


def test_the_demo_is_run_as_asked(bare, flywheel):
    asked = ("demo", "--turns", "1", "--seed", "3", "--folder", "shop", "--without", "velocity")
    result = flywheel(*asked, "--json")
    assert [cycle["turn"] for cycle in json.loads(result.stdout)] == [1]
    assert (bare / "shop" / "flywheel.yaml").exists()
    (bare / "other.txt").touch()
    refused = flywheel("demo", "--folder", ".")
    complaint = "error: . holds something else than a demo; choose another with --folder\n"
    assert said(refused) == (2, "", complaint)


def test_python_m_openflywheel_is_the_command():
    done = shell("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


def said(result):
    """Exit code, output and errors."""
    return result.exit_code, result.stdout, result.stderr


def test_an_unknown_command_is_answered_with_the_nearest(flywheel):
    complaint = "there is no command 'stauts'; did you mean 'status'? See: flywheel --help"
    assert said(flywheel("stauts")) == (2, "", f"error: {complaint}\n")
    code, out, err = said(flywheel("stauts", "--json"))
    assert (code, json.loads(out), err) == (2, {"error": "UsageError", "message": complaint}, "")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["why"], "Missing argument 'MODEL'. See: flywheel why --help"),
        (["turn", "--fiel", "x"], "No such option '--fiel'"),
        (["spin", "--turns", "0"], "Invalid value for '--turns': 0 is not in the range x>=1."),
        (["ask", "route"], "Missing argument 'TEXT'. See: flywheel ask --help"),
    ],
)
def test_a_wrong_command_line_is_one_line(args, complaint, flywheel):
    code, out, err = said(flywheel(*args))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"error: {complaint}")


def test_without_settings_init_is_proposed(bare, flywheel):
    complaint = "error: there is no flywheel.yaml; write one with: flywheel init\n"
    assert said(flywheel("status")) == (2, "", complaint)
    assert list(bare.iterdir()) == []


def test_an_unknown_key_is_shown_with_file_and_line(desk, flywheel):
    (desk / "flywheel.yaml").write_text("name: x\nstore: wheel\ntasks: {}\ncolect: {}\n")
    complaint = "flywheel.yaml:4: there is no setting 'colect'; did you mean 'collect'?"
    assert said(flywheel("map")) == (2, "", f"error: {complaint}\n")
    assert json.loads(flywheel("map", "--json").stdout) == {"error": "SettingsError", "message": complaint}


def test_a_missing_secret_is_shown_with_file_and_line(desk, flywheel):
    (desk / "flywheel.yaml").write_text("name: x\nstore: wheel\ntasks: {}\ndatabase: ${OF_NO_SUCH}\n")
    complaint = "flywheel.yaml:4: ${OF_NO_SUCH} is not set; set it with: export OF_NO_SUCH=..."
    assert said(flywheel("turn")) == (2, "", f"error: {complaint}\n")
    assert json.loads(flywheel("turn", "--json").stdout) == {"error": "MissingSecret", "message": complaint}


@pytest.mark.parametrize("args", [["turn"], ["turn", "--only", "collect"]])
def test_a_busy_wheel_names_its_holder(args, desk, flywheel):
    with lease(desk / "wheel" / "turn.lock", "the wheel"):
        code, out, err = said(flywheel(*args))
    assert (code, out) == (2, "")
    assert err == (
        f"error: the wheel 'my-flywheel' is held by process {os.getpid()} (wheel/turn.lock); "
        "wait for it, or stop it\n"
    )


@pytest.mark.parametrize(
    ("args", "kind", "complaint"),
    [
        (["ask", "rout", "x"], "UnknownTask", "there is no task 'rout'; did you mean 'route'?"),
        (["signal", "x", "--rating", "1"], "UnknownExchange", "there is no exchange 'x'"),
        (["plugins", "guards"], "UnknownPlugin", "there is no room 'guards'; did you mean 'guard'?"),
        (["simulate", "no.csv", "--task", "route"], "SettingsError", "there is no file 'no.csv'"),
    ],
)
def test_a_wrong_name_is_one_line(args, kind, complaint, desk, flywheel):
    assert said(flywheel(*args)) == (2, "", f"error: {complaint}\n")
    assert json.loads(flywheel(*args, "--json").stdout) == {"error": kind, "message": complaint}


def test_a_file_that_cannot_be_written_is_one_line(bare, flywheel):
    (bare / "flat").write_text("not a folder")
    code, out, err = said(flywheel("init", "-f", "flat/flywheel.yaml"))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "flat" in err


def test_a_room_that_fails_by_a_mistake_of_the_user_leaves_no_stack_trace(desk):
    (desk / "seeds.jsonl").unlink()
    (desk / "wheel").rename(desk / "wheel-before")
    done = shell("turn", "--json", cwd=desk)
    assert done.returncode == 1
    failed = [step for step in json.loads(done.stdout) if step["error"]]
    assert [step["room"] for step in failed] == ["collect"]
    assert done.stderr.startswith("error: turn 0: collect failed: ")
    assert len(done.stderr.splitlines()) == 1
    assert "seeds.jsonl" in done.stderr


def _heed_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def spinning(desk):
    """Start `flywheel spin` in its own process; it turns every other second."""
    yaml = (desk / "flywheel.yaml").read_text()
    (desk / "flywheel.yaml").write_text(yaml.replace("or_after: 1h", "or_after: 2s"))
    line, pipes = [*PYTHON, "spin"], {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with ExitStack() as stack:

        def start(*args):
            process = stack.enter_context(
                # a shell that runs the tests in the background lets them inherit an ignored Ctrl-C
                subprocess.Popen([*line, *args], cwd=desk, preexec_fn=_heed_ctrl_c, **pipes)  # noqa: PLW1509  no threads
            )
            stack.callback(process.kill)
            return process

        yield start


def test_ctrl_c_ends_the_spinning_cleanly(spinning, flywheel):
    process = spinning()
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert first.startswith("turn 2 (")
    assert (process.returncode, out, err.strip()) == (130, "", "interrupted")
    assert flywheel("turn").exit_code == 0


def test_sigterm_ends_the_spinning_with_its_document(spinning, ask_json):
    process = spinning("--json")
    while ask_json("map")["turn"] < 2:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert all(turned["error"] == "" for turned in json.loads(out))


def test_a_closed_pipe_is_no_error(desk):
    line = f"{sys.executable} -m openflywheel plugins | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("collect.")
    assert done.stderr == ""


def test_settings_may_lie_elsewhere(desk, tmp_path_factory, monkeypatch, ask_json):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert ask_json("map", "--file", str(desk / "flywheel.yaml"))["name"] == "my-flywheel"
    assert list(Path().iterdir()) == []

"""The command: its options, its exit code, and the parts that run from start to end on little."""

import json
import subprocess
import sys

import pytest

from benchmarks.curate import __main__ as command
from benchmarks.curate import incremental, memory
from benchmarks.curate.made_up import texts
from benchmarks.curate.peers import PEERS
from benchmarks.report import Row, at_least, at_most, finish


def python(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def rows_of(done):
    """Rows by name, of the JSON object on the last line."""
    assert done.returncode == 0, done.stderr
    return {row["row"]: row for row in json.loads(done.stdout.splitlines()[-1])["rows"]}


@pytest.fixture
def called(monkeypatch, capsys):
    """The command with these parts and options: its exit code, and what it printed."""

    def call(parts, *options):
        for name, part in parts.items():
            monkeypatch.setitem(command.PARTS, name, part)
        monkeypatch.setattr(sys, "argv", ["curate", "--only", ",".join(parts), *options])
        with pytest.raises(SystemExit) as ended:
            command.main()
        return int(ended.value.code), capsys.readouterr()

    return call


def test_help_names_every_part_and_option():
    done = python("benchmarks.curate", "--help")
    assert done.returncode == 0
    for part in command.PARTS:
        assert f"\n{part} " in done.stdout, part
    for option in ("--only", "--input", "--peers", "--size", "--rounds", "--data", "--manuals", "--json"):
        assert option in done.stdout


@pytest.mark.parametrize(("option", "choices"), [("--only", command.PARTS), ("--peers", PEERS)])
def test_what_there_is_not_is_named_with_the_choices(option, choices):
    done = python("benchmarks.curate", option, "nonsense")
    assert done.returncode == 2
    assert f"argument {option}: nonsense: choose from {', '.join(choices)}" in done.stderr


def test_the_hours_of_memory_are_spent_only_when_it_is_named(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["curate"])
    assert command._options().only == [part for part in command.PARTS if part != "memory"]
    monkeypatch.setattr(sys, "argv", ["curate", "--only", "memory,ray"])
    assert command._options().only == ["memory", "ray"]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([at_least("a", 5, 5, "x"), at_most("b", 3, 3, "%")], 0),
        ([at_least("a", 4.99, 5, "x"), at_most("b", 3, 3, "%")], 1),
        ([at_least("a", 5, 5, "x"), at_most("b", 3.01, 3, "%")], 1),
        ([Row(row="not installed", value=None, unit="x", bar=">= 10")], 0),
        ([], 0),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_a_missed_bar_is_the_exit_code(called, rows, code, as_json):
    """What could not be run misses nothing."""
    ended, said = called({"quality": lambda asked: rows}, *(["--json"] if as_json else []))
    assert ended == code
    assert as_json or ("MISSED" in said.out) == bool(code)
    assert not as_json or [row["row"] for row in json.loads(said.out)["rows"]] == [row.row for row in rows]


def test_parts_run_in_the_order_given_each_in_its_own_folder(called):
    def part(asked):
        assert not list(asked.folder.iterdir())
        (asked.folder / "made").touch()
        asked.more["runs"] = 7
        return [Row(row=asked.folder.name, value=1, unit="")]

    code, said = called({"ray": part, "memory": part, "quality": part}, "--rounds", "4", "--json")
    found = json.loads(said.out)
    assert [row["row"] for row in found["rows"]] == ["ray", "memory", "quality"]
    assert (code, found["seeds"], found["runs"], found["benchmark"]) == (0, 4, 7, "curate")
    assert set(found["peers"]) == set(PEERS)


def test_a_peer_that_is_not_there_is_skipped_by_name(called, monkeypatch):
    monkeypatch.setitem(PEERS, "datatrove", "no-such-package-anywhere")

    def part(asked):
        return [Row(row=f"peers {asked.peers}", value=1, unit="")]

    _, said = called({"quality": part}, "--json")
    assert "skipped: datatrove is not installed; pip install no-such-package-anywhere" in said.err
    assert json.loads(said.out)["rows"][0]["row"] == "peers []"
    assert json.loads(said.out)["peers"] == {"datatrove": None}


def test_documents_are_ones_own_when_a_folder_is_given(called, tmp_path):
    (tmp_path / "mine.md").write_text("mine")
    names = []
    part = {"quality": lambda asked: names.extend(asked.documents(10)) or []}
    assert called(part, "--input", str(tmp_path))[0] == 0
    assert names == ["input/mine.md"]


def test_a_folder_without_documents_ends_it_with_what_to_do(tmp_path):
    done = python("benchmarks.curate", "--only", "pipeline", "--input", tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path} holds no documents. --data is the folder" in done.stderr


def test_a_table_says_what_is_missed_and_what_was_not_run(capsys):
    rows = [at_least("one", 5, 4, "x", (3, 6)), at_least("two", 3, 4, "x")]
    finish("made up", [*rows, Row(row="three", value=None, unit="x", bar=">= 1")], 1, as_json=False)
    lines = {
        line.split()[1]: line for line in capsys.readouterr().out.splitlines() if "x" in line or "-" in line
    }
    assert "3 to 6" in lines["one"]
    assert "yes" in lines["one"]
    assert "MISSED" in lines["two"]
    assert "not run" in lines["three"]


def test_incremental_runs_on_four_hundred_documents():
    done = python("benchmarks.curate.incremental", "--documents", 400, "--json")
    rows = rows_of(done)
    assert [*rows] == ["full run, 400 documents", "4 new ones", "new ones, of the full run"]
    first, second, share = (row["value"] for row in rows.values())
    assert share == pytest.approx(100 * second / first)
    last = rows["new ones, of the full run"]
    assert (last["bar"], last["holds"]) == ("<= 3", share <= 3)
    # 16 of 400 are planted near another and 4 are copies; among four more there is none
    assert "kept 380 of 400" in done.stderr
    assert "kept 4 of 4" in done.stderr
    assert "dedupe: " in done.stderr


def test_new_documents_are_held_against_those_of_before(tmp_path):
    """Of the numbers 1,900 to 1,918 the last is near 1,909; 1,919 is the first of the run that follows."""
    code = (
        "import sys; from pathlib import Path; from benchmarks.curate import incremental as i\n"
        "folder = Path(sys.argv[1])\n"
        "for name, start, count in (('full', 1_900, 19), ('new', 1_919, 1)):\n"
        "    i._curated(i.written(folder / name, start, count), folder)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kept = [line for line in done.stderr.splitlines() if line.startswith("kept")]
    assert kept[0].startswith("kept 19 of 19")
    assert kept[1].startswith("kept 1 of 1")  # the newest stays,
    assert kept[1].endswith("changed 1")  # and the one of before goes


def test_the_steps_of_both_are_those_of_their_recipe():
    assert [step.name for step in incremental.opened()] == [*incremental.RECIPE]
    assert [step.name for step in memory.opened()] == [*memory.RECIPE]


def test_memory_runs_on_three_megabytes(tmp_path):
    done = python("benchmarks.curate.memory", "--gigabytes", 0.003, "--folder", tmp_path, "--json")
    rows = rows_of(done)
    assert rows["input"]["value"] == pytest.approx(0.003, rel=0.01)
    peak = rows["peak of all processes (PSS, mapped files too)"]
    assert (peak["bar"], peak["holds"]) == ("<= 2", True)
    assert 0.02 < rows["of that, what the system cannot take back"]["value"] <= peak["value"]
    assert "kept " in done.stderr
    assert not list(tmp_path.iterdir())  # what was written is gone


def test_memory_says_how_much_room_it_needs(tmp_path):
    done = python("benchmarks.curate.memory", "--gigabytes", 10_000_000, "--folder", tmp_path)
    assert done.returncode == 1
    assert "25000000 GB are needed" in done.stderr


def test_the_input_of_memory_is_of_the_size_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "FILE", 100)
    monkeypatch.setattr(memory, "BLOCK", 50)
    size, count = memory.written(tmp_path / "input", 1_000_000)
    files = sorted((tmp_path / "input").iterdir())
    lines = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    assert size == sum(path.stat().st_size for path in files)
    assert 1_000_000 <= size < 1_010_000
    assert [line["id"] for line in lines] == [f"document-{n}" for n in range(count)]
    assert lines[130]["text"] == texts(130, 1, memory.LENGTH).to_pylist()[0]
    assert [path.name for path in files[:2]] == ["000000000000.jsonl", "000000000100.jsonl"]


def test_memory_is_of_a_session_and_nobody_else():
    sleeping = [sys.executable, "-c", "x = bytearray(80_000_000); print('there', flush=True); input()"]
    with subprocess.Popen(
        sleeping, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        process.stdout.readline()
        whole, own = memory._memory(process.pid)
        process.communicate(b"\n")
    assert 80e6 < own <= whole < 200e6
    assert memory._memory(process.pid) == (0, 0)

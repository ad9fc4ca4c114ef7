"""The command: its options, its exit code, and what it says of data that are not there."""

import ast
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.customize import __main__ as command
from benchmarks.report import Row, at_least, at_most

ON_DATA = ("domain", "encoder", "sft", "distil")
THERE = sorted({path.stem for path in Path(command.__file__).parent.glob("*.py")} & set(command.PARTS))


@pytest.fixture
def called(monkeypatch, capsys):
    """The command with these parts and options: its exit code, and what it printed."""

    def call(parts, *options):
        monkeypatch.setattr(command, "PARTS", tuple(parts))
        for name, part in parts.items():
            monkeypatch.setitem(sys.modules, f"benchmarks.customize.{name}", SimpleNamespace(measure=part))
        monkeypatch.setattr(sys, "argv", ["customize", *options])
        with pytest.raises(SystemExit) as ended:
            command.main()
        return int(ended.value.code), capsys.readouterr()

    return call


def test_help_explains_every_part_and_option(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["customize", "--help"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for part in command.PARTS:
        assert f"\n{part} " in shown, part
    for option in ("--only", "--rounds", "--data", "--json"):
        assert option in shown


def test_what_there_is_not_is_named_with_the_choices(called):
    code, said = called({"heads": None}, "--only", "heads,nonsense")
    assert (code, said.out) == (2, "")
    assert "argument --only: nonsense: choose from heads" in said.err


def test_without_a_word_every_part_runs(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["customize"])
    chosen = command._options()
    assert chosen.only == list(command.PARTS)
    assert (chosen.rounds, chosen.json) == (3, False)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([at_least("a", 5, 5, "x"), at_most("b", 3, 3, "%")], 0),
        ([at_least("a", 4.99, 5, "x"), at_most("b", 3, 3, "%")], 1),
        ([at_least("a", 5, 5, "x"), Row(row="b", value=None, unit="", bar="<= 3", holds=False)], 1),
        ([Row(row="skipped", value=None, unit="x", bar=">= 10")], 0),
        ([], 0),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_a_missed_bar_is_the_exit_code(called, rows, code, as_json):
    """What could not be run misses nothing; what ran and gave no figure does."""
    ended, said = called({"heads": lambda *_: rows}, *(["--json"] if as_json else []))
    assert ended == code
    assert as_json or ("MISSED" in said.out) == bool(code)
    assert not as_json or [row["row"] for row in json.loads(said.out)["rows"]] == [row.row for row in rows]


def test_parts_run_in_the_order_given_each_in_its_own_empty_folder(called, tmp_path):
    seen = []

    def part(data, folder, rounds):
        assert not list(folder.iterdir())
        (folder / "made").touch()
        seen.append((folder, data))
        return [Row(row=folder.name, value=rounds, unit="")]

    parts = {"swap": part, "heads": part, "moe": part}
    code, said = called(parts, "--only", "moe,swap", "--rounds", "4", "--data", str(tmp_path), "--json")
    found = json.loads(said.out)
    assert [(row["row"], row["value"]) for row in found["rows"]] == [("moe", 4), ("swap", 4)]
    assert (code, found["seeds"], found["benchmark"]) == (0, 4, "customize")
    assert found["cores"] > 0
    assert [data for _, data in seen] == [tmp_path, tmp_path]
    assert not any(folder.exists() for folder, _ in seen)  # what was made is gone


def test_a_part_that_breaks_leaves_nothing_behind(called):
    folders = []

    def broken(data, folder, rounds):
        folders.append(folder)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        called({"heads": broken})
    assert not folders[0].exists()


@pytest.mark.parametrize("part", ON_DATA)
def test_data_that_are_not_there_are_named_and_miss_no_bar(part, tmp_path):
    [row] = command.measure(part, tmp_path / "data", tmp_path, 1)
    assert row.value is None
    assert row.holds is None
    assert "missing" in row.row + row.unit or "skipped" in row.unit
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", THERE)
def test_every_part_measures_what_it_is_handed(part):
    """Read, not imported: to import them all takes 10 s."""
    tree = ast.parse(Path(command.__file__).with_name(f"{part}.py").read_text(encoding="utf-8"))
    [measure] = [node for node in tree.body if getattr(node, "name", "") == "measure"]
    assert [argument.arg for argument in measure.args.args] == ["data", "folder", "rounds"]

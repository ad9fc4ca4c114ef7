import json
import os
from itertools import islice

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.collect._rows.progress import FOLDER, MOST, Progress, files_of


def lines(file):
    for line in file:
        yield line.decode().strip()


def read(path, state, most=None):
    return list(islice(Progress(state).items(path, lines), most))


def test_what_has_not_changed_is_not_read_again_and_what_grew_from_there(tmp_path):
    path, state = tmp_path / "a.log", {}
    path.write_text("one\ntwo\n")
    assert read(path, state) == ["one", "two"]
    assert read(path, state) == []
    with path.open("a") as file:
        file.write("three\n")
    assert read(path, state) == ["three"]
    assert len(str(state)) < 150


def test_a_turn_that_stops_half_way_goes_on(tmp_path):
    path, state = tmp_path / "a.log", {}
    path.write_text("one\ntwo\nthree\n")
    assert read(path, state, 2) == ["one", "two"]
    assert read(path, state, 2) == ["three"]
    assert read(path, state) == []


def test_a_file_that_was_rewritten_is_read_from_its_beginning(tmp_path):
    path, state = tmp_path / "a.log", {}
    path.write_text("one\ntwo\n")
    read(path, state)
    path.write_text("one\nTWO\nthree\n")
    assert read(path, state) == ["one", "TWO", "three"]
    path.write_text("short\n")
    assert read(path, state) == ["short"]
    path.write_text("SHORT\n")
    os.utime(path, ns=(1, 1))
    assert read(path, state) == ["SHORT"]


def test_so_many_files_are_remembered_and_no_more(tmp_path):
    state = {}
    for n in range(MOST + 20):
        path = tmp_path / f"{n}.log"
        path.write_text("x\n")
        read(path, state)
    assert len(state["files"]) == MOST
    assert read(tmp_path / f"{MOST + 19}.log", state) == []
    assert read(tmp_path / "0.log", state) == ["x"]


def test_files_of_a_folder_by_kind_and_name(tmp_path):
    for name in ("b.json", "a.JSON", "c.txt"):
        (tmp_path / name).write_text("")
    assert [p.name for p in files_of(tmp_path, (".json",))] == ["a.JSON", "b.json"]
    assert files_of(tmp_path / "c.txt", (".json",)) == [tmp_path / "c.txt"]
    with pytest.raises(SettingsError, match="holds no file that ends in .csv"):
        files_of(tmp_path, (".csv",))
    with pytest.raises(SettingsError, match="there is no .*none"):
        files_of(tmp_path / "none", (".csv",))
    for n in range(FOLDER + 1):
        (tmp_path / f"{n}.csv").write_text("")
    with pytest.raises(SettingsError, match="holds 201 files; name folders of 200 at most"):
        files_of(tmp_path, (".csv",))


def test_uses_of_one_file_are_told_apart(tmp_path):
    path, state = tmp_path / "a.log", {}
    path.write_text("one\n")
    assert list(Progress(state, "a").items(path, lines)) == ["one"]
    assert list(Progress(state, "b").items(path, lines)) == ["one"]
    assert list(Progress(state, "a").items(path, lines)) == []


def test_what_is_remembered_fits_into_the_state(tmp_path):
    state = {}
    path = tmp_path / "a.log"
    path.write_text("x\n")
    for use in range(MOST + 1):
        list(Progress(state, str(use)).items(path, lines))
    assert len(json.dumps(state)) < 60_000

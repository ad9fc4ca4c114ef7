"""A model on disk: whole or not there, once, and never changed unnoticed."""

import json
import os
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.instruments.artefact import (
    CARD,
    MANIFEST,
    WEIGHTS,
    copied,
    keep,
    manifest,
    moved,
    read,
    taken,
    tidy,
)

SAID = {"labels": ["a", "ü"], "sharpness": 2.5}
TENSORS = {"bias": np.arange(3, dtype=np.float32), "weights": np.eye(4, dtype=np.float32)[:, :3]}
# Dies as the second file is half written.
DYING = """
import os, sys
from pathlib import Path
import numpy as np
from openflywheel.base.instruments import artefact

def write(path, content):
    if path.name == artefact.WEIGHTS:
        path.write_bytes(content[: len(content) // 2])
        os._exit(7)
    whole(path, content)

whole, artefact._write = artefact._write, write
artefact.keep(Path(sys.argv[1]), {"a": 1}, {"x": np.zeros(100, np.float32)})
"""


@pytest.fixture
def place(tmp_path):
    """A model in its folder."""
    return keep(tmp_path, SAID, TENSORS)


def test_it_is_read_back_as_it_was_kept(place):
    manifest, tensors = read(place)
    assert {key: manifest[key] for key in SAID} == SAID
    assert sorted(tensors) == sorted(TENSORS)
    for name, tensor in TENSORS.items():
        assert np.array_equal(tensors[name], tensor)
        assert tensors[name].dtype == tensor.dtype


def test_a_slice_is_kept_as_what_it_shows(tmp_path):
    wide = np.arange(12, dtype=np.float32).reshape(3, 4)
    _, tensors = read(keep(tmp_path, {}, {"part": wide[:, ::2]}))
    assert np.array_equal(tensors["part"], wide[:, ::2])


def test_the_same_content_is_written_once(tmp_path, place):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    other_order = {name: TENSORS[name] for name in reversed(TENSORS)}
    assert keep(tmp_path, dict(reversed(SAID.items())), other_order) == place
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("said", "tensors"),
    [({**SAID, "sharpness": 2.6}, TENSORS), (SAID, {**TENSORS, "bias": TENSORS["bias"] + np.float32(1e-6)})],
)
def test_other_content_has_another_name(said, tensors, tmp_path, place):
    assert keep(tmp_path, said, tensors) != place
    assert len(list(tmp_path.iterdir())) == 2


def test_it_is_no_pickle(place):
    assert sorted(p.name for p in place.iterdir()) == [CARD, MANIFEST, WEIGHTS]
    assert json.loads((place / MANIFEST).read_text())["labels"] == ["a", "ü"]


@pytest.mark.fault
@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_changed_byte_of_the_weights_is_found(at, place):
    weights = bytearray((place / WEIGHTS).read_bytes())
    weights[at] ^= 1
    (place / WEIGHTS).write_bytes(weights)
    with pytest.raises(StoreError, match=f"the model in {place} was changed on disk"):
        read(place)


@pytest.mark.fault
def test_a_changed_manifest_is_found_also_when_it_suits_the_weights(place):
    manifest = json.loads((place / MANIFEST).read_text())
    (place / MANIFEST).write_text(json.dumps({**manifest, "labels": ["b", "a"]}, sort_keys=True, indent=1))
    with pytest.raises(StoreError, match="was changed on disk"):
        read(place)


@pytest.mark.fault
def test_the_weights_of_another_model_are_found(tmp_path, place):
    other = keep(tmp_path, SAID, {**TENSORS, "bias": TENSORS["bias"] * 2})
    os.replace(other / WEIGHTS, place / WEIGHTS)
    with pytest.raises(StoreError, match="was changed on disk"):
        read(place)


@pytest.mark.fault
@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe not what it was"])
def test_rubbish_in_its_place_is_found(name, content, place):
    (place / name).write_bytes(content)
    with pytest.raises(StoreError, match="was changed on disk"):
        read(place)


@pytest.mark.parametrize(("name", "why"), [(MANIFEST, "there is no model in"), (WEIGHTS, "is missing")])
def test_a_missing_file_is_told(name, why, place):
    (place / name).unlink()
    with pytest.raises(StoreError, match=why):
        read(place)


class TestDamaged:
    """What lies damaged in its place is mended by the same content, from wherever it comes."""

    @pytest.fixture
    def copy(self, place, tmp_path):
        """A whole copy of it, made before the damage."""
        copied(place, tmp_path / "copy")
        (place / WEIGHTS).write_bytes(b"rubbish")
        return tmp_path / "copy"

    def test_teaching_again_mends_it(self, copy, place, tmp_path):
        assert keep(tmp_path, SAID, TENSORS) == place
        assert np.array_equal(read(place)[1]["bias"], TENSORS["bias"])
        assert {path.name for path in tmp_path.iterdir()} == {"copy", place.name}

    def test_taking_a_whole_copy_mends_it(self, copy, place, tmp_path):
        assert taken(copy, tmp_path)[1] == place
        assert np.array_equal(read(place)[1]["bias"], TENSORS["bias"])

    def test_moving_a_whole_one_there_mends_it(self, copy, place, tmp_path):
        (tmp_path / "other").mkdir()
        _, other = taken(copy, tmp_path / "other")
        assert moved(other, tmp_path) == place
        assert np.array_equal(read(place)[1]["bias"], TENSORS["bias"])
        assert not other.exists()

    def test_a_copy_never_replaces_what_it_finds(self, place, tmp_path):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "letter.txt").write_text("dear")
        copied(place, tmp_path / "mine")
        assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("mask", [0o022, 0o027])
def test_whoever_may_read_the_store_can_read_a_model(mask, tmp_path):
    before = os.umask(mask)
    try:
        place = keep(tmp_path, SAID, TENSORS, {"adapter/config.json": b"{}"})
        copied(place, tmp_path / "copy")
    finally:
        os.umask(before)
    for folder in (place, place / "adapter", tmp_path / "copy"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o777 & ~mask


def test_what_a_crash_left_goes_after_a_day(tmp_path, place):
    for name, age in ((".new-old", 90_000), (".new-young", 80_000)):
        (tmp_path / name / "adapter").mkdir(parents=True)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    os.utime(place, (1, 1))
    tidy(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".new-young", place.name}


def test_a_copy_needs_a_folder_to_be_made_in(place, tmp_path):
    with pytest.raises(StoreError, match=r"there is no folder .*/no for the copy; make it with: mkdir -p"):
        copied(place, tmp_path / "no" / "copy")


def test_files_lie_where_they_are_named(tmp_path):
    beside = tmp_path / "tokenizer.json"
    beside.write_text("{}")
    place = keep(tmp_path, SAID, files={"adapter/config.json": b"[]", "checkpoint/tokenizer.json": beside})
    assert (place / "adapter" / "config.json").read_bytes() == b"[]"
    assert (place / "checkpoint" / "tokenizer.json").read_text() == "{}"
    assert sorted(manifest(place)["files"]) == [CARD, "adapter/config.json", "checkpoint/tokenizer.json"]
    assert read(place)[1] == {}


@pytest.mark.parametrize("name", ["model.bin", "pytorch_model.pt", "head.pkl", "weights.npy", "run"])
def test_what_may_be_a_program_is_refused(name, tmp_path):
    with pytest.raises(StoreError, match=f"may not hold '{name}'"):
        keep(tmp_path, SAID, files={name: b""})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../out.json", "/tmp/out.json", "a/../../out.json"])
def test_a_file_outside_of_its_folder_is_refused(name, tmp_path):
    with pytest.raises(StoreError, match="its own folder"):
        keep(tmp_path, SAID, files={name: b""})


def test_the_card_says_what_it_is(tmp_path):
    said = {"task": "route", "method": "head.ridge", "base": {"name": "minilm"}, "taught_by": ["d1"]}
    card = (keep(tmp_path, {**said, "report": {"accuracy": 0.91234}}) / CARD).read_text()
    assert card.startswith("# route\n")
    assert '- base: {"name": "minilm"}' in card
    assert "- d1" in card
    assert "| accuracy | 0.9123 |" in card


@pytest.mark.fault
def test_a_crash_leaves_nothing_half_and_does_no_harm(tmp_path):
    child = subprocess.run([sys.executable, "-c", DYING, str(tmp_path)], check=False)
    assert child.returncode == 7
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".new-")
    place = keep(tmp_path, {"a": 1}, {"x": np.zeros(100, np.float32)})
    assert read(place)[0]["a"] == 1
    assert {p.name for p in tmp_path.iterdir()} == {left.name, place.name}


def test_two_who_write_the_same_at_once_agree(tmp_path):
    code = DYING.partition("def write")[0] + (
        'print("go", flush=True); sys.stdin.readline()\n'
        'print(artefact.keep(Path(sys.argv[1]), {"a": 1}, {"x": np.zeros(10**6, np.float32)}).name)\n'
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], **pipes) for _ in range(2)]
    assert [child.stdout.readline() for child in both] == ["go\n"] * 2
    for child in both:
        child.stdin.write("\n")
        child.stdin.flush()
    names = {child.communicate()[0].strip() for child in both}
    assert [path.name for path in tmp_path.iterdir()] == list(names)
    assert read(tmp_path / names.pop())[0]["a"] == 1

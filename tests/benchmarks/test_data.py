"""The benchmark's files: all that the public data hold, and nothing on both sides."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import data

SHARED = Path(__file__).parents[3] / "shared" / "data"
ORIGINAL = pytest.mark.skipif(
    not all((SHARED / name).is_file() for name in ("clinc150/data_full.json", "banking77/train.csv")),
    reason=f"CLINC150 and Banking77 are not in {SHARED}",
)


def pairs(path):
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows
    assert set(rows[0]) == {"text", "label"}
    return [(row["text"], row["label"]) for row in rows]


@pytest.fixture
def source(tmp_path):
    """Files in the form of the originals: three intents of 20, 20 and 7 texts."""
    both = [
        (f'"{label}", {n}\nsaid', label)
        for label, count in (("a", 20), ("b", 20), ("c", 7))
        for n in range(count)
    ]
    for name in ("clinc150", "banking77"):
        (tmp_path / "source" / name).mkdir(parents=True)
    parts = {"train": both[:40], "val": both[40:], "oos_train": [["out", "oos"]], "test": [["no", "a"]]}
    (tmp_path / "source" / "clinc150" / "data_full.json").write_text(json.dumps(parts))
    with (tmp_path / "source" / "banking77" / "train.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "category"), *both])
    return tmp_path / "source"


def make(source, to, monkeypatch):
    monkeypatch.setattr("sys.argv", ["data", "--from", str(source), "--to", str(to)])
    data.main()
    return {path.stem: pairs(path) for path in to.glob("*.csv")}


def test_every_text_stands_once_on_one_side(source, tmp_path, monkeypatch):
    made = make(source, tmp_path / "deep" / "to", monkeypatch)
    assert (len(made["clinc150_train"]), len(made["clinc150_test"])) == (40, 7)
    banking = made["banking77_train"] + made["banking77_test"]
    assert Counter(banking) == dict.fromkeys(made["clinc150_train"] + made["clinc150_test"], 1)


def test_the_same_share_of_every_intent_is_set_apart(source, tmp_path, monkeypatch):
    made = make(source, tmp_path / "to", monkeypatch)
    assert Counter(label for _, label in made["banking77_test"]) == {"a": 3, "b": 3, "c": 1}


def test_made_again_the_files_are_the_same(source, tmp_path, monkeypatch):
    assert make(source, tmp_path / "one", monkeypatch) == make(source, tmp_path / "two", monkeypatch)


@ORIGINAL
def test_of_the_originals_nothing_is_left_out(tmp_path, monkeypatch):
    made = make(SHARED, tmp_path, monkeypatch)
    assert {name: (len(rows), len({label for _, label in rows})) for name, rows in made.items()} == {
        "clinc150_train": (15_000, 150),
        "clinc150_test": (3_000, 150),
        "banking77_train": (8_505, 77),
        "banking77_test": (1_498, 77),
    }

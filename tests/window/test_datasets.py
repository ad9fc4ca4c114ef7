"""Versions of datasets on the command line."""

import re
from contextlib import closing

import pyarrow as pa
import pytest

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Dataset, Record, Row
from openflywheel.base.settings import Chosen
from openflywheel.curate._engine.engine import Inline
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.shard import Held
from openflywheel.curate._engine.step import Step
from openflywheel.curate._engine.writing import write
from openflywheel.curate.length import length
from openflywheel.store import Store
from openflywheel.window import terminal

SETTINGS = "name: sets\nstore: wheel\ntasks: {route: {kind: label}}\n"


def row(text, label="x", **fields):
    return Row(**{"text": text, "source": "t", "labels": {"route": label}} | fields)


OLD = [row("where is my parcel", subject="ann"), row("send it back", "y"), row("bye")]
NEW = [OLD[0], row("Send it  back", "z", source="u"), row("hello"), row("good day")]


@pytest.fixture(autouse=True)
def folder(bare, monkeypatch):
    """A folder with settings and no store yet; the command stands in the terminal."""
    (bare / "flywheel.yaml").write_text(SETTINGS)
    monkeypatch.setitem(terminal.COMMANDS, "datasets", ("_datasets", "List, show and compare datasets."))
    return bare


@pytest.fixture
def stored(folder):
    """Two versions of a training set and a holdout."""
    sets = [
        Dataset(
            name="route-train", task="route", role="train", rows=tuple(r.id for r in OLD), recipe="r1", at=1.0
        ),
        Dataset(name="route-holdout", task="route", role="holdout", rows=(NEW[2].id,), recipe="r1", at=2.0),
        Dataset(
            name="route-train", task="route", role="train", rows=tuple(r.id for r in NEW), recipe="r2", at=3.0
        ),
    ]
    with closing(Store(folder / "wheel")) as store:
        store.append([*OLD, *NEW, *sets])
    return sets


def made(folder, texts, least=2):
    """A dataset in a folder of its own, as `flywheel curate --to` writes them."""
    records = [Record(text=t, source="s", purposes=("training",), subject="ann", at=1.0) for t in texts]
    table = pa.Table.from_batches([to_batch(records, Record)])
    recipe = [Chosen("length", {"least": least})]

    def opener():
        return [Step("length", lambda batch: length(batch, least=least))]

    with curate([Held(table)], opener, recipe="r", engine=Inline(), work=folder / "work") as result:
        return write(result, folder, recipe)


def words(text):
    return " ".join(re.sub(r"[^\S\n]+", " ", text).split())


def test_the_list_is_newest_first(stored, ask_json, flywheel):
    assert [(d["id"], d["rows"]) for d in ask_json("datasets", "list")] == [
        (d.id, len(d.rows)) for d in reversed(stored)
    ]
    shown = words(flywheel("datasets", "list").stdout)
    assert f"{stored[2].id[:12]} route-train route train 4 r2" in shown
    assert shown.index(stored[2].id[:12]) < shown.index(stored[0].id[:12])


def test_without_a_command_it_lists(stored, ask_json, flywheel, folder):
    assert ask_json("datasets") == ask_json("datasets", "list")
    assert flywheel("datasets").stdout == flywheel("datasets", "list").stdout
    assert len(ask_json("datasets", "-f", str(folder / "flywheel.yaml"))) == 3
    assert "Commands:" in flywheel("datasets", "--help").stdout


def test_no_datasets_are_said(flywheel, ask_json):
    assert "No datasets yet; make one with: flywheel turn" in flywheel("datasets").stdout
    assert ask_json("datasets") == []


def test_a_card_is_counted_from_the_store(stored, ask_json, flywheel):
    card = ask_json("datasets", "show", stored[2].id)
    assert (card["name"], card["version"], card["rows"], card["tokens"]) == (
        "route-train",
        stored[2].id,
        4,
        10,
    )
    assert card["counts"]["source"] == {"t": 3, "u": 1}
    assert card["counts"]["label"] == {"route: x": 3, "route: z": 1}
    assert card["subjects"] == 1
    shown = words(flywheel("datasets", "show", "route-train").stdout)
    assert "4 rows, 10 tokens, 1 subject" in shown
    assert "route: x 3" in shown
    assert "region" not in shown


@pytest.mark.parametrize(
    ("name", "which"),
    [
        ("{0}", 0),
        ("{0:.8}", 0),
        ("route-train", 2),
        ("route-train@{0:.8}", 0),
        ("route-holdout", 1),
    ],
)
def test_a_dataset_has_many_names(name, which, stored, ask_json):
    asked = name.format(*(d.id for d in stored))
    assert ask_json("datasets", "show", asked)["version"] == stored[which].id


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("route-trian", "there is no dataset 'route-trian'; did you mean 'route-train'?"),
        ("route-train@zz", "choices: route-train@"),
        ("", "there is no dataset ''"),
        ("route-train@", "there is no dataset 'route-train@'"),
    ],
)
def test_a_name_that_is_none_is_answered_with_the_nearest(name, said, stored, flywheel):
    result = flywheel("datasets", "show", name)
    assert result.exit_code == 2
    assert said in words(result.stderr)


def test_a_beginning_of_several_is_not_guessed(folder, flywheel, ask_json):
    rows = [row(str(n)) for n in range(40)]
    sets = [Dataset(name="s", task="route", role="train", rows=(r.id,), recipe="r") for r in rows]
    with closing(Store(folder / "wheel")) as store:
        store.append([*rows, *sets])
    first = [d.id[0] for d in sets]
    twice = next(digit for digit in first if first.count(digit) > 1)
    assert ask_json("datasets", "show", twice)["error"] == "UnknownDataset"
    assert f"'{twice}' fits {first.count(twice)} datasets: s@" in flywheel("datasets", "show", twice).stderr


def test_without_a_dataset_it_says_how_to_make_one(flywheel):
    assert "there is no dataset in" in flywheel("datasets", "show", "x").stderr


def test_a_difference_tells_what_came_left_and_changed(stored, ask_json):
    found = ask_json("datasets", "diff", stored[0].id, "route-train")
    rows = found["rows"]
    assert (rows["came"], rows["left"]) == (2, 1)
    assert rows["changed"] == {"text": 1, "labels": 1, "role": 0, "weight": 0}
    assert (sorted(rows["came_texts"]), rows["left_texts"]) == (["good day", "hello"], ["bye"])
    assert rows["samples"][0]["fields"]["labels"] == ["route: y", "route: z"]
    assert found["counts"]["label"] == {"route: x": [2, 3], "route: y": [1, 0], "route: z": [0, 1]}
    assert found["counts"]["source"] == {"u": [0, 1]}
    assert (found["before"]["recipe_hash"], found["after"]["recipe_hash"]) == ("r1", "r2")


def test_a_difference_is_shown_in_words(stored, flywheel):
    shown = words(flywheel("datasets", "diff", stored[0].id, stored[2].id).stdout)
    assert "2 rows came, 1 left, changed: 1 in their text, 1 in their labels" in shown
    assert "left: bye" in shown
    assert "changed: send it back: text send it back → Send it back; labels route: y → route: z" in shown
    assert "route: y 1 0 -1" in shown
    assert "The recipe changed from r1 to r2" in shown


def test_a_version_is_the_same_as_itself(stored, flywheel):
    shown = words(flywheel("datasets", "diff", "route-train", stored[2].id).stdout)
    assert shown == f"route-train {stored[2].id[:12]} and route-train {stored[2].id[:12]} are the same."


def test_folders_are_compared_without_a_store(folder, ask_json, flywheel):
    first = made(folder / "a", ["one text", "hi", "x"])
    second = made(folder / "b", ["one text", "another text", "hi", "x"], least=3)
    (folder / "flywheel.yaml").unlink()
    found = ask_json("datasets", "diff", "a", "b")
    assert (found["before"]["version"], found["after"]["version"]) == (first.version, second.version)
    assert (found["rows"]["came"], found["rows"]["left"]) == (1, 1)
    assert found["rows"]["changed"] == {"text": 0, "labels": 0, "role": 0, "weight": 0}
    assert found["recipe"] == [{"step": "length", "before": {"least": 2}, "after": {"least": 3}}]
    shown = words(flywheel("datasets", "diff", "a", "b").stdout)
    assert "length: {'least': 2} → {'least': 3}" in shown
    assert "too short 2" in words(flywheel("datasets", "show", "b").stdout)


def test_a_folder_is_compared_with_the_store(folder, stored, ask_json):
    made(folder / "a", ["where is my parcel"])
    found = ask_json("datasets", "diff", "a", "route-train")
    assert (found["rows"]["came"], found["rows"]["left"], found["rows"]["changed"]["labels"]) == (3, 0, 1)


def test_texts_cannot_steer_the_terminal(folder, flywheel):
    rows = [row("red \x1b[31malert\nnext"), row("plain " + "z" * 200)]
    sets = [Dataset(name="s", task="route", role="train", rows=(r.id,), recipe="r") for r in rows]
    with closing(Store(folder / "wheel")) as store:
        store.append([*rows, *sets])
    shown = flywheel("datasets", "diff", sets[0].id, sets[1].id).stdout
    assert "\x1b" not in shown
    assert "left: red  [31malert next\n" in shown
    assert "z" * 74 + "…" in shown
    assert "z" * 75 not in shown


def test_one_is_written_as_a_providers_training_file(folder, flywheel, ask_json):
    rows = [row(f"where is parcel {n}", label) for n in range(20) for label in ("x", "y")]
    dataset = Dataset(
        name="route-train", task="route", role="train", rows=tuple(r.id for r in rows), recipe="r"
    )
    with closing(Store(folder / "wheel")) as store:
        store.append([*rows, dataset])
    shown = flywheel("datasets", "export", "route-train", "--to", "train.jsonl", "--as", "openai").stdout
    assert "Wrote 40 rows" in shown
    lines = (folder / "train.jsonl").read_text().splitlines()
    assert len(lines) == 40
    assert '"role":"assistant"' in lines[0].replace(" ", "")


def test_rows_that_were_erased_are_told(folder, flywheel):
    rows = [row(f"question {n}", f"answer {n}") for n in range(12)]
    ids = tuple(r.id for r in rows)
    with closing(Store(folder / "wheel")) as store:
        store.append([*rows[1:], Dataset(name="kept", task="route", role="train", rows=ids, recipe="r")])
    shown = flywheel("datasets", "export", "kept", "--to", "train.jsonl", "--as", "openai").stdout
    assert "Wrote 11 rows" in shown
    assert "left out 1: no longer in the store" in shown


def test_a_holdout_is_not_written(stored, folder, flywheel):
    told = flywheel("datasets", "export", "route-holdout", "--to", "out.jsonl", "--as", "bedrock")
    assert told.exit_code == 2
    assert not (folder / "out.jsonl").exists()

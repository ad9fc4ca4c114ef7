"""A dataset of the store as a provider's training file."""

import json
from contextlib import closing

import pytest

from openflywheel.base.errors import HoldoutRefused, SettingsError
from openflywheel.base.nouns import Dataset, Row
from openflywheel.store import Store
from openflywheel.wheel.datasets import UnknownDataset, exported, listed, version

ROWS = [Row(text=f"question {n}", source="t", labels={"answer": f"answer {n}"}) for n in range(12)]


def dataset(rows, role="train", **fields):
    said = {"name": f"answer-{role}", "task": "answer", "recipe": "r"} | fields
    return Dataset(role=role, rows=tuple(row.id for row in rows), **said)


@pytest.fixture
def store(tmp_path):
    with closing(Store(tmp_path / "wheel")) as opened:
        opened.append(ROWS)
        yield opened


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def asked(line):
    return next(m["content"] for m in line["messages"] if m["role"] == "user")


def test_the_rows_stand_in_the_order_of_the_dataset(store, tmp_path):
    order = [*ROWS[6:], *reversed(ROWS[:6])]
    store.append([dataset(order)])
    out = exported("answer-train", store, tmp_path / "out.jsonl", "openai")
    assert [asked(line) for line in lines(tmp_path / "out.jsonl")] == [row.text for row in order]
    assert (out.rows, out.dropped, out.form) == (12, {}, "openai")
    assert (out.path, out.bytes) == (str(tmp_path / "out.jsonl"), (tmp_path / "out.jsonl").stat().st_size)


def test_rows_that_have_moved_to_the_lake_keep_their_places(store, tmp_path):
    store.append([dataset(ROWS)])
    exported("answer-train", store, tmp_path / "before", "vertex")
    store.flush()
    store.trim([], keep=0)
    exported("answer-train", store, tmp_path / "after", "vertex")
    assert (tmp_path / "after").read_bytes() == (tmp_path / "before").read_bytes()


@pytest.mark.parametrize("form", ["openai", "bedrock", "vertex"])
def test_the_instruction_stands_in_every_line(form, store, tmp_path):
    store.append([dataset(ROWS)])
    exported("answer-train", store, tmp_path / "plain", form)
    exported("answer-train", store, tmp_path / "out", form, system="Be brief.")
    assert (tmp_path / "out").read_text().count('"Be brief."') == 12
    assert "system" not in (tmp_path / "plain").read_text()


def test_a_name_means_its_newest_version_and_an_id_an_older_one(store, tmp_path):
    old, new = dataset(ROWS[:10]), dataset(ROWS)
    store.append([old, new])
    for name, rows in (
        ("answer-train", 12),
        (old.id, 10),
        (old.id[:9], 10),
        (f"answer-train@{new.id[:9]}", 12),
    ):
        assert exported(name, store, tmp_path / "out", "openai").rows == rows
    assert [(d.id, d.rows) for d in listed(store)] == [(new.id, 12), (old.id, 10)]


def test_rows_that_cannot_be_said_are_counted_with_the_reason(store, tmp_path):
    bad = [
        Row(text="  ", source="t", labels={"answer": "x"}),
        Row(text="light", source="t", labels={"answer": "x"}, weight=0),
        Row(text="a <|im_start|> b", source="t", labels={"answer": "x"}),
    ]
    store.append([*bad, dataset([bad[0], *ROWS, *bad[1:]])])
    out = exported("answer-train", store, tmp_path / "out", "openai")
    assert out.dropped == {"an empty message": 1, "no weight": 1, "a token of the model's own": 1}
    assert out.rows == len(lines(tmp_path / "out")) == 12


def test_rows_that_were_erased_are_counted(store, tmp_path):
    erased = [Row(text=f"erased {n}", source="t", labels={"answer": "x"}) for n in range(2)]
    store.append([dataset([erased[0], *ROWS, erased[1]])])
    out = exported("answer-train", store, tmp_path / "out", "openai")
    assert (out.rows, out.dropped) == (12, {"no longer in the store": 2})
    store.append([dataset(erased)])
    with pytest.raises(SettingsError, match="0 examples for openai.*2 left out: no longer in the store"):
        exported("answer-train", store, tmp_path / "none", "openai")


def test_a_preference_set_gives_pairs(store, tmp_path):
    pairs = [
        Row(text=row.text, source="t", labels=row.labels, meta={"rejected": "worse"}, role="preference")
        for row in ROWS
    ]
    store.append([*pairs, dataset(pairs, "preference")])
    assert exported("answer-preference", store, tmp_path / "out", "openai-dpo").rows == 12
    first = lines(tmp_path / "out")[0]
    assert first["preferred_output"][0]["content"] == "answer 0"
    assert first["non_preferred_output"][0]["content"] == "worse"


class TestRefused:
    def test_a_holdout_teaches_nobody(self, store, tmp_path):
        sealed = Row(text="sealed", source="t", labels={"answer": "x"}, role="holdout")
        held = dataset([sealed], "holdout")
        store.append([sealed, held])
        for name in ("answer-holdout", held.id[:8]):
            with pytest.raises(
                HoldoutRefused, match=f"answer-holdout {held.id} is a holdout: it teaches nobody"
            ):
                exported(name, store, tmp_path / "out", "openai")
        assert not (tmp_path / "out").exists()

    def test_a_held_out_row_in_another_set_stops_all_of_it(self, store, tmp_path):
        sealed = Row(text="sealed", source="t", labels={"answer": "x"}, role="holdout")
        store.append([sealed, dataset([*ROWS, sealed])])
        (tmp_path / "out").write_text("older")
        with pytest.raises(SettingsError, match=f"1 of these rows are held out, the first is {sealed.id}"):
            exported("answer-train", store, tmp_path / "out", "vertex")
        assert (tmp_path / "out").read_text() == "older"

    def test_too_few_examples_leave_the_older_file(self, store, tmp_path):
        store.append([dataset(ROWS[:3])])
        (tmp_path / "out").write_text("older")
        with pytest.raises(SettingsError, match="10"):
            exported("answer-train", store, tmp_path / "out", "openai")
        assert (tmp_path / "out").read_text() == "older"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "wheel"]

    def test_a_format_that_there_is_not_is_answered_with_the_nearest(self, store, tmp_path):
        store.append([dataset(ROWS)])
        with pytest.raises(SettingsError, match="there is no format 'openia'; did you mean 'openai'"):
            exported("answer-train", store, tmp_path / "out", "openia")

    def test_a_dataset_that_there_is_not(self, store, tmp_path):
        with pytest.raises(
            UnknownDataset, match="there is no dataset in .* yet; make one with: flywheel turn"
        ):
            exported("answer-train", store, tmp_path / "out", "openai")
        store.append([dataset(ROWS)])
        with pytest.raises(UnknownDataset, match="no dataset 'answer-tarin'; did you mean 'answer-train'"):
            exported("answer-tarin", store, tmp_path / "out", "openai")
        assert not (tmp_path / "out").exists()


def test_a_version_of_the_store_takes_its_own_rows_alone(store):
    store.append([dataset(ROWS[:4])])
    found = version("answer-train", store)
    assert found.ids().to_pylist() == [row.id for row in ROWS[:4]]
    assert found.card().rows == 4
    assert found.take(found.ids().slice(1, 2))["id"].to_pylist() == [ROWS[1].id, ROWS[2].id]
    assert found.take(found.ids().slice(0, 0)).num_rows == 0

"""A dataset as a training file on disk."""

import json

import pytest
from hosted_lessons import rows_of

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Row
from openflywheel.customize._hosted.export import Exported, export
from openflywheel.customize._hosted.lines import file


@pytest.mark.parametrize("form", ["openai", "bedrock", "vertex"])
def test_rows_are_written_as_lines(tmp_path, form):
    rows = rows_of(11)
    made = export(rows, "route", tmp_path / "train.jsonl", form, system="choose")
    content = (tmp_path / "train.jsonl").read_bytes()
    assert content == file(rows, "route", form, system="choose").content
    assert made == Exported(
        path=str(tmp_path / "train.jsonl"), form=form, rows=11, bytes=len(content),
        tokens=file(rows, "route", form, system="choose").tokens, dropped={},
    )  # fmt: skip
    assert all(json.loads(line) for line in content.splitlines())


def test_pairs_are_written_as_preferences(tmp_path):
    rows = rows_of(10, meta={"rejected": "hm"}) + rows_of(2, "validation")
    made = export(rows, "route", tmp_path / "pairs.jsonl", "openai-dpo")
    assert (made.rows, made.dropped) == (10, {"no answer that was liked less": 2})


def test_what_cannot_be_said_is_counted(tmp_path):
    bad = Row(text="User: hi", source="test", labels={"route": "track"})
    made = export([*rows_of(3), bad], "route", tmp_path / "train.jsonl", "bedrock")
    assert (made.rows, made.dropped) == (3, {"a reserved word": 1})


def test_an_unknown_format_is_told(tmp_path):
    with pytest.raises(SettingsError, match="no format 'bedrok'; did you mean 'bedrock'?"):
        export(rows_of(10), "route", tmp_path / "x", "bedrok")


def test_held_out_rows_are_never_written(tmp_path):
    rows = [*rows_of(10), *rows_of(2, "holdout")]
    with pytest.raises(SettingsError, match="2 of these rows are held out"):
        export(rows, "route", tmp_path / "x", "openai")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_would_be_refused_is_not_written(tmp_path):
    (tmp_path / "train.jsonl").write_text("old")
    with pytest.raises(SettingsError, match="3 examples for openai"):
        export(rows_of(3), "route", tmp_path / "train.jsonl", "openai")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_the_old_file_gives_way_whole(tmp_path):
    (tmp_path / "train.jsonl").write_text("old")
    export(rows_of(10), "route", tmp_path / "train.jsonl", "openai")
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]
    assert "old" not in (tmp_path / "train.jsonl").read_text()

from pathlib import Path

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.nouns import Gap
from openflywheel.collect.files import files, read_rows

COLD = Gap(topic="route", why="cold start", task="route")


def read(folder, name, **settings):
    return list(files(COLD, path=name, folder=folder, **settings))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'text,label\n"where, please?",track\nhello,\n'),
        ("a.jsonl", '{"text": "where, please?", "label": "track"}\n\n{"text": "hello"}\n'),
    ],
)
def test_rows_become_records_with_and_without_label(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    first, second = read(tmp_path, name, license="CC0")
    assert (first.text, first.labels, first.labelled_by) == ("where, please?", {"route": "track"}, "seed")
    assert (second.text, second.labels, second.labelled_by) == ("hello", {}, "")
    assert (first.source, first.uri, first.license, first.purposes) == ("files", name, "CC0", ("training",))


def test_lines_of_a_text_file_are_unlabelled(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\n two \n")
    assert [r.text for r in read(tmp_path, "a.txt")] == ["one", "two"]


def test_an_absolute_path_is_taken_as_it_is(tmp_path):
    (tmp_path / "a.txt").write_text("one\n")
    assert len(list(files(COLD, path=str(tmp_path / "a.txt"), folder=Path("/elsewhere")))) == 1


def test_gaps_that_point_at_exchanges_are_not_answered_from_files(tmp_path):
    gap = Gap(topic="route", why="", evidence=("exchange",))
    assert list(files(gap, path="missing.csv", folder=tmp_path)) == []


def test_a_file_can_be_for_one_task_alone(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nhi,greet\n")
    other = Gap(topic="tone", why="cold start", task="tone")
    assert read(tmp_path, "a.csv", task="route")[0].labels == {"route": "greet"}
    assert list(files(other, path="a.csv", folder=tmp_path, task="route")) == []


def test_other_columns_can_be_named_and_a_wrong_name_is_explained(tmp_path):
    (tmp_path / "a.csv").write_text("question,intent\nhi,greet\n")
    assert read(tmp_path, "a.csv", text="question", label="intent")[0].labels == {"route": "greet"}
    with pytest.raises(
        SettingsError, match=r"a\.csv:1: there is no column 'questio'; did you mean 'question'"
    ):
        read(tmp_path, "a.csv", text="questio")


def test_a_missing_file_and_an_unknown_kind_are_explained(tmp_path):
    with pytest.raises(SettingsError, match="there is no file"):
        read(tmp_path, "none.csv")
    (tmp_path / "a.xml").write_text("<a/>")
    with pytest.raises(SettingsError, match=r"can't read \.xml"):
        list(read_rows(tmp_path / "a.xml"))


def test_a_broken_line_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "fine"}\n{"text": \n')
    with pytest.raises(SettingsError, match=r"a\.jsonl:2"):
        read(tmp_path, "a.jsonl")

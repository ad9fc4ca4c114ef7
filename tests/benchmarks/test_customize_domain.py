"""A language model from scratch on a file like Banking77's, with three intents."""

import csv

import pytest

from benchmarks.customize import domain
from openflywheel.base.instruments import artefact

SAID = {"refund": "money back for {}", "parcel": "where is parcel {}", "login": "password of {} lost"}


def write(folder, number):
    place = folder / "banking77"
    place.mkdir()
    with (place / "train.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("text", "category"))
        for n in range(number):
            lines.writerows((f"{text.format(n)}, please", label) for label, text in SAID.items())


def test_without_data_it_says_which_file(tmp_path):
    [row] = domain.measure(tmp_path, tmp_path, 1)
    assert (row.value, row.holds, row.bar) == (None, None, ">= 0.85")
    assert row.unit == f"skipped: {tmp_path}/banking77/train.csv is missing"


def test_a_lesson_is_its_pairs_in_their_order():
    lesson = domain._lesson([("a, b", "refund"), ("c", "parcel")])
    assert [(row.text, row.labels) for row in lesson.rows] == [
        ("a, b", {"intent": "refund"}),
        ("c", {"intent": "parcel"}),
    ]
    assert (lesson.kind, lesson.dataset.task, len(lesson.dataset.rows)) == ("label", "intent", 2)


@pytest.mark.slow
def test_it_is_taught_by_some_and_judged_by_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(domain, "TAUGHT", 300)
    seen = []
    lesson = domain._lesson
    monkeypatch.setattr(domain, "_lesson", lambda pairs: seen.append(pairs) or lesson(pairs))
    write(tmp_path, 120)
    (tmp_path / "models").mkdir()
    rows = domain.measure(tmp_path, tmp_path / "models", 1)
    found = {(row.row, row.bar): row for row in rows}
    assert len(found) == len(rows) == 6
    accuracy = found["domain LM, Banking77: accuracy", ">= 0.85"]
    assert 0.9 < accuracy.value <= 1  # three intents whose words differ
    assert accuracy.interval == (accuracy.value, accuracy.value)
    least, most = (row for row in rows if row.row == "domain LM: parameters")
    assert (least.value, least.holds, most.holds) == (most.value, least.value >= 2e6, True)
    assert 0 <= found["domain LM: calibration error", None].value <= 1
    [kept] = (tmp_path / "models").iterdir()
    assert artefact.manifest(kept)["report"]["parameters"] == least.value
    [pairs] = seen
    assert len(pairs) == len(set(pairs)) == 300  # so 60 that it has not seen judge

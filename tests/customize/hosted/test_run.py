"""A run's file: what was begun is on disk before it is asked for."""

import json

import msgspec
import pytest

from openflywheel.base.nouns import Model
from openflywheel.customize._hosted.run import Book, Run

MODEL = Model(name="route-hosted", task="route", base="far/m", method="hosted", taught_by=("d",))


def run(id="r1", **more):
    fields = {
        "task": "route", "kind": "label", "dataset": "d", "provider": "far", "base": "m",
        "method": "supervised", "epochs": 3, "suffix": "", "system": "", "labels": ("a", "b"), "rows": 10,
        "tokens": 2_000_000, "price": 25.0, "seed": 0,
    }  # fmt: skip
    return Run(id=id, **{**fields, **more})


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path / "customize")


def test_what_was_never_written_is_as_it_is(book):
    assert book.find(run()) == run()
    assert book.all() == []


def test_what_was_written_is_found_by_another_book(tmp_path, book):
    put = book.put(run(), stage="created", job="ftjob-1", model=MODEL)
    assert (put.stage, put.job) == ("created", "ftjob-1")
    assert Book(tmp_path / "customize").find(run()) == put


def test_a_run_costs_its_tokens():
    assert run().dollars == 50.0


def test_a_run_that_is_asked_for_says_when(book, monkeypatch):
    monkeypatch.setattr("openflywheel.customize._hosted.run.time.time", lambda: 1234.5)
    assert book.asks(run()).at == 1234.5
    assert book.find(run()).stage == "creating"


@pytest.mark.parametrize(
    ("stage", "open"),
    [
        ("new", 0),
        ("uploaded", 0),
        ("creating", 1),
        ("created", 1),
        ("done", 0),
        ("failed", 0),
        ("cancelled", 0),
    ],
)
def test_open_is_what_may_cost_money(book, stage, open):
    book.put(run(), stage=stage)
    assert len(book.open()) == len(book.open("route")) == open
    assert book.open("another") == []


def test_runs_are_in_the_order_of_their_jobs(book):
    for id, at in (("c", 1.0), ("a", 3.0), ("b", 2.0)):
        book.put(run(id), at=at)
    assert [r.id for r in book.all()] == ["c", "b", "a"]


def test_a_file_is_plain_json_and_whole(tmp_path, book):
    book.put(run(), stage="creating")
    [path] = (tmp_path / "customize").rglob("*.json")
    assert json.loads(path.read_text())["stage"] == "creating"
    assert [p.name for p in path.parent.iterdir()] == ["r1.json"]


def test_a_write_that_was_cut_is_no_run(tmp_path, book):
    book.put(run())
    (tmp_path / "customize" / "hosted" / "r2.new").write_text('{"id": "r2"')
    assert [r.id for r in book.all()] == ["r1"]


def test_a_file_that_somebody_changed_is_told(tmp_path, book):
    book.put(run())
    (tmp_path / "customize" / "hosted" / "r1.json").write_text('{"id": "r1"}')
    with pytest.raises(msgspec.ValidationError):
        book.find(run())

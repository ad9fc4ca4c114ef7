"""Record -> Dataset: what a passage makes of new records, beside what was there."""

import shutil
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from openflywheel import curate
from openflywheel.base.nouns import Dataset, Drop, Reading, Record, Row
from openflywheel.curate._engine.engine import Inline
from openflywheel.curate._engine.state import version
from openflywheel.curate._engine.step import StepFailed
from openflywheel.curate._whole import Whole
from openflywheel.curate.chunk import chunk
from openflywheel.curate.dedupe import dedupe
from openflywheel.curate.length import length
from openflywheel.curate.split import split


class Store:
    """What earlier passages left."""

    def __init__(self):
        self.nouns = []

    def all(self, kind):
        return [n for n in self.nouns if type(n) is kind]


class Room:
    """The room with its workspace; what it gives is kept."""

    def __init__(self, workspace):
        self.store, self.workspace = Store(), workspace

    def __call__(self, *took, steps=(), recipe="r", kinds=None, readings=False):
        """What the room gives: rows, datasets and the reasons of drops."""
        self.store.nouns += [noun for noun in took if noun not in self.store.nouns]
        out = list(
            curate.run(
                took,
                self.store,
                list(steps),
                recipe=recipe,
                kinds=kinds or {},
                workspace=self.workspace,
                engine=lambda: pytest.fail("few records need no engine"),
                opener=lambda: pytest.fail("few records are curated in this process"),
            )
        )
        self.store.nouns += [n for n in out if not isinstance(n, Drop)]
        if readings:
            return [n for n in out if isinstance(n, Reading)]
        return (
            [n for n in out if isinstance(n, Row)],
            [n for n in out if isinstance(n, Dataset)],
            [n.reason for n in out if isinstance(n, Drop)],
        )


@pytest.fixture
def run(tmp_path):
    return Room(tmp_path / "curate")


def record(text, label="x", purposes=("training",), **fields):
    return Record(text=text, source="t", labels={"route": label}, purposes=purposes, **fields)


def test_records_become_rows_with_all_they_say_and_where_they_came_from(run):
    given = record("hello", subject="key", uri="u", license="CC0", labelled_by="user", parents=("e",), at=5.0)
    ((row,), (dataset,), drops) = run(given)
    for name in ("text", "source", "uri", "subject", "purposes", "license", "labels", "labelled_by", "at"):
        assert getattr(row, name) == getattr(given, name)
    assert row.parents == (given.id,)
    assert row.id != given.id
    assert (dataset.rows, dataset.recipe, drops) == ((row.id,), "r", [])


@pytest.mark.parametrize(
    ("purposes", "role"),
    [(("training",), "train"), (("evaluation",), "holdout"), (("evaluation", "training"), "train")],
)
def test_what_may_only_judge_is_held_out(run, purposes, role):
    ((row,), (dataset,), _) = run(record("hello", purposes=purposes))
    assert (row.role, dataset.role) == (role, role)


@pytest.mark.parametrize("purposes", [(), ("marketing",)])
def test_what_may_neither_teach_nor_judge_is_dropped(run, purposes):
    assert run(record("hello", purposes=purposes)) == (
        [],
        [],
        ["no purpose: neither training nor evaluation"],
    )


def test_steps_work_in_their_order_and_each_drop_has_its_reason(run):
    took = [record(text, at=1.0) for text in ("Ab", "ab", "a", "abcdef")]
    rows, _, drops = run(*took, steps=[lambda t: length(t, least=2, most=4), dedupe])
    assert [r.text.casefold() for r in rows] == ["ab"]
    assert sorted(drops) == ["duplicate", "too long", "too short"]


def test_what_a_step_rewrites_is_what_is_kept(run):
    def shout(table):
        return table.set_column(table.schema.get_field_index("text"), "text", pa.array(["HELLO"]))

    ((row,), _, _) = run(record("hello"), steps=[shout])
    assert row.text == "HELLO"


def test_without_anything_new_there_is_no_new_version(run):
    assert run(recipe="another") == ([], [], [])


def test_a_record_that_is_curated_already_changes_nothing(run):
    run(record("hello"))
    assert run(record("hello")) == ([], [], [])


def test_new_rows_join_those_that_were_there(run):
    rows, _, _ = run(record("hello"), record("there"))
    fresh, (longer,), _ = run(record("you"))
    assert [r.text for r in fresh] == ["you"]
    assert longer.rows == (*(r.id for r in rows), fresh[0].id)


def test_only_the_set_that_changed_is_frozen_anew(run):
    _, datasets, _ = run(record("hello"), record("sealed", purposes=("evaluation",)))
    assert {d.role for d in datasets} == {"train", "holdout"}
    _, (fresh,), _ = run(record("new"))
    assert fresh.role == "train"


def test_under_another_recipe_everything_is_curated_again_and_no_set_mixes_the_two(run):
    run(record("Hello"), record("a"))
    rows, (dataset,), drops = run(steps=[partial(length, least=2)], recipe="another")
    assert [r.text for r in rows] == ["Hello"]
    assert (dataset.rows, dataset.recipe, drops) == ((rows[0].id,), "another", ["too short"])
    assert [p.name for p in run.workspace.iterdir() if p.is_dir() and p.name != "work"] == ["another"]


def test_without_a_new_recipe_nothing_new_is_nothing_to_do(run):
    run(record("hello"))
    assert run() == ([], [], [])


def test_a_state_that_was_lost_is_made_anew(run):
    rows, _, _ = run(record("hello", at=1.0), steps=[dedupe])
    shutil.rmtree(run.workspace)
    _, (dataset,), drops = run(record("Hello", at=2.0), steps=[dedupe])
    assert drops == ["duplicate"]
    assert not set(dataset.rows) & {r.id for r in rows}


def test_a_better_copy_takes_the_place_of_an_older_row(run):
    (old,), _, _ = run(record("hello", at=1.0), steps=[dedupe])
    (new,), (dataset,), drops = run(record("Hello", at=2.0), steps=[dedupe])
    assert (dataset.rows, drops) == ((new.id,), [])
    assert old.id != new.id


def test_an_older_row_follows_its_group_to_another_role(run):
    def sealed(*, subject="ann"):
        return Whole(sketch=_by_subject, settle=partial(_seal, subject=subject))

    ((old,), _, _) = run(record("one", subject="bob", at=1.0), steps=[sealed], recipe="r")
    assert old.role == "train"
    rows, datasets, _ = run(record("two", subject="ann", at=2.0), steps=[sealed])
    assert {(r.text, r.role) for r in rows} == {("one", "holdout"), ("two", "holdout")}
    assert [(d.role, len(d.rows)) for d in datasets] == [("holdout", 2)]


def _by_subject(table):
    keys = pa.array([[]] * table.num_rows, pa.list_(pa.uint64()))
    return table.select(["id", "subject"]).append_column("keys", keys)


def _seal(sketches, pairs, subject):
    """All rows are held out once that person is among them."""
    sealed = subject in sketches["subject"].to_pylist()
    rows = list(range(sketches.num_rows)) if sealed else []
    return pa.table(
        {"row": pa.array(rows, pa.int64()), "role": pa.array(["holdout"] * len(rows), pa.string())}
    )


def test_cost_and_yield_of_every_step_are_readings_and_the_slowest_is_named(run):
    steps = [partial(length, least=2), dedupe]
    found = {r.name: r for r in run(record("hello"), record("a"), steps=steps, readings=True)}
    assert found["curate.length.yield"].value == 0.5
    assert found["curate.length.yield"].note == "1 too short"
    assert found["curate.dedupe.yield"].value == 1.0
    assert found["curate.length.cost"].unit == "CPU-ms a row"
    assert found["curate.slowest"].note in ("length", "dedupe")
    assert 0 < found["curate.slowest"].value <= 1


def test_the_parts_of_a_text_are_rows_of_their_own(run):
    text = "\n\n".join(f"# Part {i}\n\n" + "word " * 40 for i in range(3))
    given = record(text)
    rows, (dataset,), _ = run(given, steps=[partial(chunk, tokens=48, folder=Path())])
    assert len(rows) > 2
    assert {r.parents for r in rows} == {(given.id,)}
    assert len({curate.seen_as(r) for r in rows}) == len(rows) == len(dataset.rows)


def test_many_records_are_spread_over_an_engine(run, monkeypatch):
    monkeypatch.setattr(curate, "FEW", 3)
    opened = []

    @contextmanager
    def engine():
        opened.append(1)
        yield Inline()

    took = [record(f"text {n}") for n in range(5)]
    out = curate.run(
        took, run.store, [], recipe="r", kinds={}, workspace=run.workspace, engine=engine,
        opener=lambda: [curate.step_of(partial(length, most=5))],
    )  # fmt: skip
    run.store.nouns += took
    assert [n.reason for n in out if isinstance(n, Drop)] == ["too long"] * 5
    assert opened == [1]


def test_a_first_passage_that_fails_loses_no_older_record(run):
    def broken(batch):
        raise ValueError("not today")

    run(record("one"))
    with pytest.raises(StepFailed, match="not today"):
        run(steps=[broken], recipe="another")
    rows, (dataset,), _ = run(record("two"), recipe="another")
    assert {r.text for r in rows} == {"one", "two"}
    assert len(dataset.rows) == 2


def test_a_passage_that_was_killed_before_its_rows_were_kept_is_made_good(run):
    first = partial(dedupe, keep="oldest")
    run(record("one"), steps=[first])
    run(*(lost := [record("two"), record("three")]), steps=[first])
    run.store.nouns = [n for n in run.store.nouns if type(n) is Record or "one" in getattr(n, "text", "")]
    rows, (dataset,), drops = run(*lost, record("Two"), steps=[first])
    assert {r.text for r in rows} == {"two", "three"}
    assert len(dataset.rows) == 3
    assert drops == ["duplicate"]


def test_a_passage_that_fails_goes_on_from_the_same_state(run):
    first, days = partial(dedupe, keep="oldest"), iter(["one", "two"])

    def broken(batch):
        if (day := next(days, None)) == "two":
            raise ValueError(f"not on day {day}")
        return batch

    run(record("one"), steps=[broken, first])
    lost = record("two")
    with pytest.raises(StepFailed, match="not on day two"):
        run(lost, steps=[broken, first])
    state = version(run.workspace / "r")
    rows, (dataset,), drops = run(lost, record("one", uri="u"), steps=[broken, first])
    assert [r.text for r in rows] == ["two"]
    assert (len(dataset.rows), drops) == (2, ["duplicate"])
    assert "" != state != version(run.workspace / "r")


def test_answers_that_people_only_liked_teach_preferences_alone(run):
    right = record("where is it?", label="on its way")
    liked = record("where is it?", label="here", meta={"thumb": "up", "counts": "1"}, labelled_by="model")
    disliked = record("and now?", label="no", meta={"thumb": "down", "counts": "0.4"}, labelled_by="model")
    rows, datasets, _ = run(right, liked, disliked)
    assert {r.labels["route"]: r.role for r in rows} == {
        "on its way": "train",
        "here": "preference",
        "no": "preference",
    }
    assert {d.role: len(d.rows) for d in datasets} == {"train": 1, "preference": 2}


def test_a_thumb_about_a_text_that_is_held_out_is_of_no_set(run):
    sealed = record("where is it?", purposes=("evaluation",))
    liked = record("Where  is it?", label="here", meta={"thumb": "up"}, labelled_by="model")
    _, datasets, _ = run(sealed, liked)
    assert {d.role for d in datasets} == {"holdout"}


def test_a_split_leaves_thumbs_what_they_are(run):
    liked = [
        record(f"question {n}", label="here", meta={"thumb": "up"}, labelled_by="model") for n in range(20)
    ]
    steps = [partial(split, validation=0.5)]
    run(*liked, steps=steps)
    rows, _, _ = run(record("another"), steps=steps)
    roles = {r.role for r in [*rows, *run.store.all(Row)] if r.meta.get("thumb")}
    assert "train" not in roles
    assert "preference" in roles


def test_no_split_holds_an_item_out(run):
    items = [
        Record(text=f"thing {n}", source="t", meta={"item": str(n)}, purposes=("training",))
        for n in range(20)
    ]
    steps = [partial(split, held_out=0.5)]
    _, sets, _ = run(*items, record("thing", label="7"), steps=steps, kinds={"route": "rank"})
    assert [len(each.rows) for each in sets if each.role == "items"] == [20]
    _, sets, _ = run(record("thing 7", label="7"), steps=steps, kinds={"route": "rank"})
    assert "items" not in {each.role for each in sets}
    assert {row.role for row in run.store.all(Row) if not row.labels} == {"train"}

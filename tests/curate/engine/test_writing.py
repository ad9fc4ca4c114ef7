"""A result as a dataset: its tables, its card, its version; whole, and grown run by run."""

import json
import random
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import from_table, schema_of, to_batch
from openflywheel.base.nouns import Record, Row
from openflywheel.base.settings import Chosen
from openflywheel.curate._batches import mark_drops, with_meta
from openflywheel.curate._engine import tables as tables_module
from openflywheel.curate._engine.engine import Inline
from openflywheel.curate._engine.reading import Terms, shards
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.shard import Held
from openflywheel.curate._engine.step import Step
from openflywheel.curate._engine.writing import read_card, recipe_hash, write
from openflywheel.curate.dedupe import dedupe
from openflywheel.curate.mix import mix
from openflywheel.curate.split import split

RECIPE = (Chosen("short", {}), Chosen("dedupe", {"keep": "newest"}), Chosen("split", {"held_out": 0.3}))


def short(table):
    """A batch step: drops, and tells a fact."""
    size = pc.utf8_length(table["text"])
    return with_meta(mark_drops(table, pc.less(size, 3), "short: too short"), "size", size)


def embed(table):
    vectors = pa.array(
        [np.arange(3, dtype=np.float16) + n for n in range(table.num_rows)], pa.list_(pa.float16())
    )
    return table.append_column("embedding", vectors)


def steps(*more):
    return [Step("short", short), Step("dedupe", dedupe()), Step("split", split(held_out=0.3)), *more]


def record(text, **fields):
    return Record(**{"text": text, "source": "t", "purposes": ("training",), "at": 1.0} | fields)


def held(records, size=3):
    batch = pa.Table.from_batches([to_batch(records, Record)])
    return [Held(batch.slice(start, size)) for start in range(0, len(records), size)]


@pytest.fixture
def run(tmp_path):
    """Curate records into a dataset; returns its card."""

    def run(records, name="set", recipe=RECIPE, opener=steps, state=None, **how):
        given = records if not isinstance(records[0], Record) else held(records)
        folder = None if state is None else tmp_path / state
        added = folder is not None and folder.exists()
        with curate(
            given, opener, recipe=recipe_hash(recipe), engine=Inline(), work=tmp_path / "work", state=folder
        ) as result:
            return write(result, tmp_path / name, recipe, added=added, **how)

    return run


@pytest.fixture
def table(tmp_path):
    """A table of a dataset, as its card names it."""

    def table(kind="rows", name="set"):
        version = read_card(tmp_path / name).tables[kind]
        return DeltaTable(tmp_path / name / kind, version=version).to_pyarrow_table()

    return table


def texts(table):
    return sorted(table["text"].to_pylist())


def reasons(table):
    return dict(zip(table["id"].to_pylist(), table["reason"].to_pylist(), strict=True))


MANY = [record(f"text number {n}", uri=f"u{n}", at=float(n)) for n in range(20)]


def test_rows_are_rows_under_their_own_ids(run, table):
    first = record("hello there", meta={"title": "T"}, labels={"route": "x"}, parents=("e",))
    run([first, record("hi")])
    (row,) = from_table(table(), Row)
    assert row.id == Row(**{f: getattr(row, f) for f in row.__struct_fields__ if f != "id"}).id
    assert (row.text, row.meta, row.parents) == ("hello there", {"title": "T", "size": "11"}, (first.id,))
    assert row.recipe == recipe_hash(RECIPE)
    assert table()["unit"].to_pylist() == [first.id]
    assert table()["tokens"].to_pylist() == [2]
    assert table().schema.names[: len(schema_of(Row).names)] == schema_of(Row).names


def test_what_is_dropped_stands_with_its_reason(run, table):
    gone = record("hi", uri="u", source="s")
    sealed = record("no purpose", purposes=("billing",))
    card = run([gone, sealed, record("hello"), record("HELLO", at=9.0)])
    rows = {r["id"]: r for r in table("dropped").to_pylist()}
    assert rows[gone.id] == {"id": gone.id, "uri": "u", "source": "s", "reason": "short: too short"} | {
        "run": rows[gone.id]["run"]
    }
    assert card.dropped == {
        "duplicate": 1,
        "no purpose: neither training nor evaluation": 1,
        "short: too short": 1,
    }
    assert card.rows == 1


def test_the_card_counts_what_is_in_the_table(run, tmp_path, table):
    labelled = record(
        "wo ist mein Paket", subject="ann", labels={"route": "x"}, license="MIT", meta={"lang": "de"}
    )
    made = record(
        "where is my parcel", subject="ann", region="EU", basis="consent", meta={"synthetic": "yes"}
    )
    card = run([labelled, made, record("only to judge", purposes=("evaluation",))], name="desk")
    assert card == read_card(tmp_path / "desk")
    assert (card.name, card.rows, card.subjects, card.tokens) == ("desk", 3, 1, 11)
    assert card.synthetic == pytest.approx(1 / 3)
    assert card.counts["label"] == {"route: x": 1}
    assert card.counts["language"] == {"(none)": 2, "de": 1}
    assert card.counts["license"] == {"(none)": 2, "MIT": 1}
    assert sum(card.counts["role"].values()) == 3
    assert card.weight == card.counts["role"].get("train", 0)
    assert [s["name"] for s in card.recipe] == ["short", "dedupe", "split"]
    assert card.recipe_hash == recipe_hash(RECIPE)


def test_the_card_is_a_page_too(run, tmp_path):
    card = run(MANY)
    page = (tmp_path / "set" / "README.md").read_text()
    assert page.startswith("---\npretty_name: set\n")
    assert card.version in page
    assert "| t | 20 |" in page
    assert "dedupe:\n    keep: newest" in page
    assert json.loads((tmp_path / "set" / "dataset.json").read_bytes())["version"] == card.version


def test_the_version_does_not_depend_on_shards_order_or_time(run, tmp_path):
    first = run(MANY)
    shuffled = random.Random(1).sample(MANY, len(MANY))
    assert run(held(shuffled, 7), name="other").version == first.version
    later = [record(r.text, uri=r.uri, at=r.at + 100) for r in MANY]
    assert run(later, name="later").version == first.version


@pytest.mark.parametrize("other", [MANY[1:], [*MANY, record("one more")], [record("other"), *MANY[1:]]])
def test_other_rows_are_another_version(run, other):
    assert run(MANY).version != run(other, name="other").version


def test_another_recipe_is_another_version(run):
    other = (*RECIPE[:-1], Chosen("split", {"held_out": 0.30001}))
    assert run(MANY).version != run(MANY, name="other", recipe=other).version


def test_weights_and_embeddings_are_kept(run, table):
    def more():
        return steps(Step("mix", mix(sources={"t": 0.5})), Step("embed", embed))

    card = run(MANY[:4], opener=more)
    assert table()["weight"].to_pylist() == [0.5] * 4
    assert table()["embedding"].to_pylist()[0] == [0.0, 1.0, 2.0]
    assert card.weight == 0.5 * card.counts["role"].get("train", 0)


def test_writing_again_replaces_all(run, table, tmp_path):
    run(MANY)
    again = run(MANY[:5])
    assert texts(table()) == sorted(r.text for r in MANY[:5])
    assert again.version == run(MANY[:5], name="other").version
    assert read_card(tmp_path / "set") == again


def test_who_reads_by_an_older_card_still_sees_the_older_version(run, tmp_path):
    before = run(MANY)
    run(MANY[:5])
    old = DeltaTable(tmp_path / "set" / "rows", version=before.tables["rows"]).to_pyarrow_table()
    assert texts(old) == sorted(r.text for r in MANY)


def test_a_failed_run_leaves_the_old_dataset(run, tmp_path, table):
    before = run(MANY)
    with pytest.raises(Exception, match="broken on purpose"):
        run(MANY[:5], opener=lambda: [Step("fail", partial(_fail, after=1))])
    assert read_card(tmp_path / "set") == before
    assert texts(table()) == sorted(r.text for r in MANY)


def _fail(table, after):
    raise ValueError("broken on purpose")


def test_a_disk_that_fails_midway_leaves_the_old_dataset(run, tmp_path, table):
    class Half:
        """A result whose second shard cannot be read."""

        def __init__(self, result):
            self.run, self.changed, self._result = "half", result.changed, result

        def tables(self):
            yield next(self._result.tables())
            raise OSError("disk on fire")

    before = run(MANY)
    how = {"recipe": recipe_hash(RECIPE), "engine": Inline(), "work": tmp_path / "work"}
    with curate(held(MANY[:9]), steps, **how) as result, pytest.raises(Exception, match="disk on fire"):
        write(Half(result), tmp_path / "set", RECIPE)
    assert read_card(tmp_path / "set") == before
    assert texts(table()) == sorted(r.text for r in MANY)
    newest = DeltaTable(tmp_path / "set" / "rows").to_pyarrow_table()
    assert texts(newest) == texts(table())


def test_nothing_at_all_is_a_dataset_too(run, table):
    card = run([record("hi")])
    assert (card.rows, card.dropped, card.tokens) == (0, {"short: too short": 1}, 0)
    assert table().num_rows == 0


def test_no_text_is_readable_in_the_log(run, tmp_path):
    run([record("my secret marker")])
    logs = b"".join(p.read_bytes() for p in (tmp_path / "set").rglob("_delta_log/*"))
    assert b"secret" not in logs


def test_files_are_read_and_written(run, table, tmp_path):
    lines = "".join(json.dumps({"text": f"line number {n}", "url": f"u{n}"}) + "\n" for n in range(30))
    (tmp_path / "in.jsonl").write_text(lines + "broken\n")
    card = run(shards(tmp_path / "in.jsonl", terms=Terms(purposes=("training",))))
    assert card.rows == 30
    assert card.counts["source"] == {"in": 30}
    assert card.dropped == {"read: broken line": 1}


# Run by run


def test_rows_that_are_added_stand_beside_those_that_were(run, table):
    run(MANY[:12], state="state")
    grown = run(MANY[12:], state="state")
    assert texts(table()) == sorted(r.text for r in MANY)
    assert grown.rows == 20
    assert grown.version == run(MANY, name="whole").version


def test_a_better_copy_takes_the_place_of_one_of_an_earlier_run(run, table):
    old, other = record("hello there", uri="a"), record("something else")
    run([old, other], state="state")
    new = record("Hello  There", uri="b", at=9.0)
    grown = run([new], state="state")
    assert texts(table()) == ["Hello  There", "something else"]
    assert reasons(table("dropped")) == {old.id: "duplicate"}
    assert grown.dropped == {"duplicate": 1}
    assert grown.version == run([old, other, new], name="whole").version


def test_rows_whose_role_changes_are_written_anew(run, table):
    people = [record(f"text {n}", subject=f"p{n}") for n in range(12)]
    run(people, state="state")
    before = dict(zip(table()["unit"].to_pylist(), table()["role"].to_pylist(), strict=True))
    sealed = [record(f"question {n}", subject=f"p{n}", purposes=("evaluation",)) for n in range(12)]
    grown = run(sealed, state="state")
    assert "train" in before.values()
    assert set(table()["role"].to_pylist()) == {"holdout"}
    assert len(set(table()["id"].to_pylist())) == grown.rows == 24
    assert grown.version == run([*people, *sealed], name="whole").version


def test_a_dropped_row_given_again_is_not_counted_twice(run, table):
    run([record("hi"), *MANY[:3]], state="state")
    again = run([record("hi"), *MANY[2:5]], state="state")
    assert again.dropped == {"short: too short": 1}
    assert texts(table()) == sorted(r.text for r in MANY[:5])


def test_many_rows_that_leave_are_no_list(run, table, monkeypatch):
    monkeypatch.setattr(tables_module, "LISTED", 2)
    run([record(r.text, at=0.0, uri="old" + r.uri) for r in MANY], state="state")
    grown = run(MANY[:10], state="state")
    assert texts(table()) == sorted(r.text for r in MANY)
    assert grown.dropped == {"duplicate": 10}


def test_an_id_with_quotes_is_an_id(run, table):
    odd = record("hello there", id="it's \"'; DROP")
    run([odd, *MANY[:2]], state="state")
    grown = run([record("HELLO THERE", at=9.0)], state="state")
    assert grown.dropped == {"duplicate": 1}
    assert reasons(table("dropped")) == {odd.id: "duplicate"}


def test_a_run_taken_up_again_writes_nothing_twice(tmp_path, table):
    def attempt(records, added):
        return curate(
            held(records), steps, recipe=recipe_hash(RECIPE), engine=Inline(), work=tmp_path / "work",
            state=tmp_path / "state",
        )  # fmt: skip

    with attempt(MANY[:10], False) as result:
        write(result, tmp_path / "set", RECIPE)
    news = [record(MANY[3].text.upper(), at=99.0), *MANY[10:]]
    with pytest.raises(RuntimeError, match="killed"), attempt(news, True) as result:
        written = write(result, tmp_path / "set", RECIPE, added=True)
        raise RuntimeError("killed")
    with attempt(news, True) as result:
        again = write(result, tmp_path / "set", RECIPE, added=True)
    assert again.version == written.version
    assert again.tables == written.tables
    assert again.dropped == {"duplicate": 1}
    assert table().num_rows == 20


def test_another_recipes_rows_are_refused(run):
    other = (*RECIPE[:-1], Chosen("split", {"held_out": 0.2}))
    run(MANY, state="state")
    run(MANY[:1], recipe=other, state="other", name="elsewhere")
    with pytest.raises(SettingsError, match=r"set: was made by the recipe \w+, this one is \w+"):
        run(MANY[1:2], recipe=other, state="other")


def test_what_is_no_dataset_is_said(tmp_path):
    with pytest.raises(SettingsError, match="holds no dataset"):
        read_card(tmp_path)

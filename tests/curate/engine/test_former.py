"""What a run that adds to a dataset changes in the tables of earlier runs."""

from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from engine_samples import MANY, halves, opened, shards_of, table_of

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record, Row
from openflywheel.curate._batches import with_meta
from openflywheel.curate._engine.engine import Inline
from openflywheel.curate._engine.former import former
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.step import Step
from openflywheel.curate._engine.writing import write
from openflywheel.curate._nouns import named

TEXTS = ["a parcel", "the refund", "a login", "the refund", "x"]
DROP = pa.schema([("id", pa.string()), ("drop", pa.string())])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A dataset of three rows; a copy and a short text were dropped."""
    return dataset(tmp_path, records(*TEXTS), *opened("short", "same"))


def records(*texts: str) -> pa.Table:
    """Records that may teach; others are not kept."""
    said = [
        Record(text=text, source="test", uri=f"u{n}", purposes=("training",), at=1.0)
        for n, text in enumerate(texts)
    ]
    return pa.Table.from_batches([to_batch(said, Record)])


def dataset(folder: Path, table: pa.Table, *steps: Step) -> Path:
    def opener() -> list[Step]:
        return list(steps)

    with curate(shards_of(table, 3), opener, recipe="r", engine=Inline(), work=folder / "work") as result:
        write(result, folder / "set", [])
    return folder / "set"


def cut(batch: pa.Table) -> pa.Table:
    """Two parts of each row, that name it as their parent."""
    out = halves(batch)
    return with_meta(out, "part", pa.array([str(n % 2 + 1) for n in range(out.num_rows)]))


def rows(place: Path) -> pa.Table:
    return DeltaTable(place / "rows").to_pyarrow_dataset().to_table()


def dropped(place: Path) -> list[str]:
    return DeltaTable(place / "dropped").to_pyarrow_dataset().to_table()["id"].to_pylist()


def ids(*names: str) -> pa.Array:
    return pa.array(names, pa.string())


def marks(*said: dict[str, object], **columns: pa.DataType) -> pa.Table:
    schema = DROP
    for name, kind in columns.items():
        schema = schema.append(pa.field(name.replace("__", "."), kind))
    return pa.Table.from_pylist(list(said), schema=schema)


def test_without_news_nothing_changes(place):
    found = former(place, ids(), marks())
    assert (len(found.rows), len(found.dropped), found.waiting) == (0, 0, 0)
    assert (found.again.num_rows, found.left.num_rows) == (0, 0)
    assert found.again.schema.names == rows(place).schema.names


def test_units_that_are_given_again_are_taken_out_of_where_they_stood(place):
    first, gone = rows(place)["unit"][0].as_py(), dropped(place)[0]
    found = former(place, ids(first, gone, "new"), marks({"id": first, "drop": "late"}))
    assert found.rows.to_pylist() == [first]
    assert found.dropped.to_pylist() == [gone]
    assert (found.again.num_rows, found.left.num_rows) == (0, 0)


def test_a_row_that_is_dropped_now_leaves_with_its_reason(place):
    row = rows(place).to_pylist()[1]
    found = former(place, ids(), marks({"id": row["unit"], "drop": "same: a copy"}))
    assert found.rows.to_pylist() == [row["unit"]]
    assert found.again.num_rows == 0
    assert found.left.to_pylist() == [
        {"id": row["unit"], "uri": row["uri"], "source": row["source"], "reason": "same: a copy"}
    ]


def test_a_row_with_other_marks_comes_again_under_the_id_that_they_give_it(place):
    row = rows(place).to_pylist()[0]
    said = {"id": row["unit"], "drop": None, "role": "holdout", "weight": None, "meta.group": "g"}
    found = former(place, ids(), marks(said, role=pa.string(), weight=pa.float64(), meta__group=pa.string()))
    (again,) = found.again.to_pylist()
    assert found.rows.to_pylist() == [row["unit"]] == [again["unit"]]
    assert (again["role"], again["weight"], dict(again["meta"])["group"]) == ("holdout", row["weight"], "g")
    assert (again["text"], again["run"], again["tokens"]) == (row["text"], row["run"], row["tokens"])
    assert again["id"] != row["id"]
    assert named(found.again.select(list(Row.__struct_fields__)), Row)["id"].to_pylist() == [again["id"]]


def test_marks_that_say_what_is_known_change_no_id(place):
    row = rows(place).to_pylist()[0]
    said = {"id": row["unit"], "drop": None, "role": row["role"]}
    found = former(place, ids(), marks(said, role=pa.string()))
    assert found.again["id"].to_pylist() == [row["id"]]


def test_one_that_would_come_back_but_whose_text_is_not_here_waits(place):
    gone = dropped(place)
    known = rows(place)["unit"][0].as_py()
    said = [{"id": name, "drop": None} for name in (*gone, known)]
    found = former(place, ids(), marks(*said))
    assert found.waiting == len(gone) == 2
    assert found.again["unit"].to_pylist() == [known]
    given = former(place, ids(gone[0]), marks(*said))
    assert (given.waiting, given.dropped.to_pylist()) == (1, [gone[0]])


def test_marks_of_a_row_reach_the_parts_that_were_cut_out_of_it(tmp_path):
    table = records("abcdef", "ghijkl")
    place = dataset(tmp_path, table, Step("cut", cut))
    first = table["id"][0].as_py()
    parts = [row for row in rows(place).to_pylist() if first in row["parents"]]
    assert len(parts) == 2
    found = former(place, ids(), marks({"id": first, "drop": "rival: another"}))
    assert sorted(found.left["id"].to_pylist()) == sorted(row["unit"] for row in parts)
    assert set(found.left["reason"].to_pylist()) == {"rival: another"}
    own = {"id": parts[0]["unit"], "drop": None}
    found = former(place, ids(), marks({"id": first, "drop": "rival: another"}, own))
    assert found.left["id"].to_pylist() == [parts[1]["unit"]]
    assert found.again["unit"].to_pylist() == [parts[0]["unit"]]


class TestRunning:
    """Stage after stage, whatever was finished before a kill (running.py)."""

    def test_each_stage_is_reached_once_and_its_rows_stay_in_order(self, tmp_path):
        table = table_of([f"word {n % 7} {n}" for n in range(30)])
        with curate(
            shards_of(table, 7), partial(opened, *MANY), recipe="r", engine=Inline(), work=tmp_path
        ) as result:
            assert [shard.rows for shard in result.shards] == [7, 7, 7, 7, 2]
            got = [name for part in result.tables() for name in part["id"].to_pylist()]
        assert got == table["id"].to_pylist()

    def test_a_run_that_remembers_nothing_changes_nothing(self, tmp_path):
        with curate(
            shards_of(table_of(TEXTS), 2), partial(opened, *MANY), recipe="r", engine=Inline(), work=tmp_path
        ) as result:
            assert result.changed.num_rows == 0
            assert {"id", "drop"} <= set(result.changed.column_names)

    @pytest.mark.parametrize(("first", "then"), [(0, 5), (5, 0)])
    def test_what_an_earlier_run_kept_and_this_one_drops_is_told(self, first, then, tmp_path):
        """Of equal texts the lowest id stays, whichever came first."""
        names = [table_of(["a parcel"], at)["id"][0].as_py() for at in (first, then)]
        seen = []
        for at in (first, then):
            with curate(
                shards_of(table_of(["a parcel"], at), 1), partial(opened, "same"), recipe="r",
                engine=Inline(), work=tmp_path / "work", state=tmp_path / "state",
            ) as result:  # fmt: skip
                fresh = {row["id"]: row["drop"] for part in result.tables() for row in part.to_pylist()}
                seen.append((fresh, {row["id"]: row["drop"] for row in result.changed.to_pylist()}))
        assert seen[0] == ({names[0]: None}, {})
        drops = {name: None if name == min(names) else "same: a copy" for name in names}
        assert seen[1][0] == {names[1]: drops[names[1]]}
        assert seen[1][1].get(names[0]) == drops[names[0]]
        assert not list((tmp_path / "work").glob("*/stage-*"))

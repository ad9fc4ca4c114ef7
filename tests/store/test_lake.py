import os
import random
import time
from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from openflywheel.base.instruments.columns import from_table
from openflywheel.base.nouns import KINDS, Dataset, Exchange, Gap, Model, Record, Row, Signal, Step, Verdict
from openflywheel.store import Store
from openflywheel.store import lake as lakes
from openflywheel.store.lake import COMPACT_EVERY, Lake

FLUSH_FOR_EVER = """
import os, sys
from openflywheel.base.nouns import Gap
from openflywheel.store import Store, lake
lake.COMPACT_EVERY = 3
store, name = Store(sys.argv[1]), sys.argv[2]
os.write(1, b"ready\\n")
for i in range(100_000):
    store.append([Gap(topic=f"{name}-{i}-{j}", why="") for j in range(20)])
    store.flush()
"""

FLUSH_SOME = """
import sys
from openflywheel.base.nouns import Gap, Record
from openflywheel.store import Store
store = Store(sys.argv[1])
for i in range(15):
    store.append([Gap(topic=f"{sys.argv[2]}-{i}", why=""), Record(text=f"{sys.argv[2]}-{i}", source="")])
    store.flush()
store.close()
"""

MARK = "Zebra-Quartz-77"


def gaps(*numbers: int) -> list[Gap]:
    return [Gap(topic=f"topic {n}", why="") for n in numbers]


def seqs(store: Store, kind: type) -> list[int]:
    return store.lake.read(kind, ["id"])["seq"].to_pylist()


def each_once(store: Store, kind: type) -> bool:
    """Does the lake hold every row of the journal exactly once, with the same names?"""
    told = store.journal.rows(
        "SELECT seq, id FROM journal WHERE kind = ? ORDER BY seq", (kind.__name__.lower(),)
    )
    table = store.lake.read(kind, ["id"])
    return told == list(zip(table["seq"].to_pylist(), table["id"].to_pylist(), strict=True)) != []


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def test_what_is_appended_is_read_back_in_journal_order(lake):
    lake.append(Gap, [2, 3], gaps(2, 3))
    lake.append(Gap, [7], gaps(7))
    table = lake.read(Gap)
    assert table["seq"].to_pylist() == [2, 3, 7]
    assert [g.topic for g in from_table(table, Gap)] == ["topic 2", "topic 3", "topic 7"]


def test_a_lake_is_read_by_columns_numbers_and_span(lake):
    lake.append(Gap, [1, 2, 3, 4], gaps(1, 2, 3, 4))
    assert lake.read(Gap, ["topic"]).column_names == ["seq", "topic"]
    assert lake.read(Gap, seqs=[4, 2, 9])["seq"].to_pylist() == [2, 4]
    assert lake.read(Gap, span=(1, 3))["seq"].to_pylist() == [2, 3]
    assert lake.read(Gap, seqs=[])["seq"].to_pylist() == []


def test_an_empty_table_can_be_read(lake):
    assert lake.read(Record).num_rows == 0
    assert lake.flushed(Record) == 0


def test_a_table_knows_up_to_where_it_is_complete(lake):
    lake.append(Gap, [5, 9], gaps(5, 9))
    assert lake.flushed(Gap) == Lake(lake.path).flushed(Gap) == 9
    assert lake.flushed(Record) == 0


def test_two_lakes_on_one_folder_see_each_others_rows(lake):
    other = Lake(lake.path)
    lake.append(Gap, [1], gaps(1))
    assert other.read(Gap)["seq"].to_pylist() == [1]
    other.append(Gap, [2], gaps(2))
    assert lake.read(Gap)["seq"].to_pylist() == [1, 2]


def test_flushing_twice_moves_nothing_twice(store):
    store.append([*gaps(1, 2), Record(text="r", source="s")])
    assert [store.flush(), store.flush()] == [3, 0]
    store.append(gaps(2, 3))
    assert [store.flush(), store.flush()] == [1, 0]
    assert each_once(store, Gap)
    assert each_once(store, Record)


def test_a_flush_ends_although_rows_keep_coming(store, monkeypatch):
    append, more = store.lake.append, iter(range(10, 15))

    def while_others_write(*given) -> None:
        store.append(gaps(*islice(more, 1)))
        append(*given)

    monkeypatch.setattr(store.lake, "append", while_others_write)
    store.append(gaps(1, 2))
    assert store.flush() == 2


def test_a_crash_right_after_the_commit_doubles_nothing(store):
    store.append(gaps(1, 2, 3))
    store.lake.append(Gap, [1, 2], gaps(1, 2))  # committed by a flusher that died before it could say so
    assert store.flush() == 1
    assert each_once(store, Gap)


def test_large_flushes_are_cut_into_portions_of_rows_and_of_bytes(store, monkeypatch):
    monkeypatch.setattr("openflywheel.store.FLUSH_ROWS", 10)
    monkeypatch.setattr("openflywheel.store.FLUSH_BYTES", 5_000)
    store.append([*gaps(*range(25)), *(Gap(topic=f"{n}" * 2_000, why="") for n in range(5))])
    assert store.flush() == 30
    assert each_once(store, Gap)
    sizes = [len(pq.read_table(f)) for f in (store.path / "lake" / "gap").glob("*.parquet")]
    assert sorted(sizes) == [2, 8, 10, 10]


def test_compaction_keeps_every_row_and_leaves_few_files(lake):
    commits = COMPACT_EVERY + 5
    for n in range(commits):
        lake.append(Gap, [n + 1], gaps(n))
    again = Lake(lake.path)
    assert again.read(Gap)["seq"].to_pylist() == list(range(1, commits + 1))
    assert [g.topic for g in from_table(again.read(Gap), Gap)] == [f"topic {n}" for n in range(commits)]
    assert again.flushed(Gap) == commits
    assert len(DeltaTable(str(lake.path / "gap")).file_uris()) < 10


def test_files_that_compaction_has_replaced_stay_for_readers_and_then_go(lake, monkeypatch):
    def append(rows: int) -> set[Path]:
        for n in range(rows):
            lake.append(Gap, [lake.flushed(Gap) + 1], gaps(n))
        return set((lake.path / "gap").glob("*.parquet"))

    monkeypatch.setattr(lakes, "COMPACT_EVERY", 4)
    first = append(2)
    assert first < append(10)
    monkeypatch.setattr(lakes, "KEEP_HOURS", 0)
    assert not first & append(10)
    assert lake.read(Gap)["seq"].to_pylist() == list(range(1, 23))


def test_what_a_killed_flusher_left_half_written_goes_too(lake, monkeypatch):
    monkeypatch.setattr(lakes, "COMPACT_EVERY", 4)
    lake.append(Gap, [1], gaps(1))
    old, fresh = (lake.path / "gap" / f"part-{name}.snappy.parquet" for name in ("old", "fresh"))
    for file in (old, fresh):
        file.write_bytes(b"half of a file")
    os.utime(old, (0, 0))
    for n in range(2, 8):
        lake.append(Gap, [n], gaps(n))
    assert not old.exists()
    assert fresh.exists()  # it may be another's commit in the making
    assert lake.read(Gap)["seq"].to_pylist() == list(range(1, 8))


def test_the_log_of_the_lake_holds_no_personal_text(store, said):
    opinion = Verdict(check=MARK, about=MARK, passed="no", reason=MARK)
    for n in range(COMPACT_EVERY + 5):  # beyond a compaction and a checkpoint
        store.append(
            [
                said(
                    f"{MARK}{n}",
                    output=MARK,
                    subject=MARK,
                    episode=MARK,
                    choices=(MARK,),
                    verdicts=(opinion,),
                )
            ]
        )
        store.flush()
    signal = Signal(
        exchange=MARK, kind=MARK, value=1.0, source="user", explicit=True, correction=MARK, comment=MARK
    )
    record = {"text": MARK, "source": MARK, "uri": MARK, "subject": MARK, "labels": {MARK: MARK}}
    step = Step(turn=1, room=MARK, took=1, gave=1, dropped={MARK: 1}, error=MARK)
    store.append([signal, Gap(topic=MARK, why=MARK), Record(**record), Row(**record), opinion, step])
    store.flush()
    logs = [f for f in (store.path / "lake").glob("*/_delta_log/*") if f.is_file()]
    checkpoints = [f for f in logs if f.suffix == ".parquet"]
    assert len({f.parent for f in logs}) == 7
    assert checkpoints
    assert not [f for f in logs if MARK.encode() in f.read_bytes()]
    assert not [f for f in checkpoints if MARK in str(pq.read_table(f).to_pylist())]  # they are compressed
    assert MARK in str(store.lake.read(Exchange).to_pylist())


def test_statistics_on_numbers_and_moments_are_kept_for_skipping(lake):
    lake.append(Gap, [4, 5], gaps(1, 2))
    add = DeltaTable(str(lake.path / "gap")).get_add_actions(flatten=True)
    assert (add["min.seq"][0].as_py(), add["max.seq"][0].as_py()) == (4, 5)
    assert {c for c in add.column_names if c.startswith("min.")} == {"min.seq", "min.at"}


def test_every_kind_lies_in_its_table(store, said):
    one = {
        Gap: Gap(topic="t", why="w"), Record: Record(text="t", source="s", labels={"a": "b"}),
        Row: Row(text="t", source="s"),
        Dataset: Dataset(name="n", task="t", role="train", rows=("a",), recipe="r"),
        Model: Model(name="n", task="t", base="b", method="m", taught_by=("a",), report={"accuracy": 0.5}),
        Verdict: Verdict(check="c", about="a", passed="yes"), Exchange: said("hello"),
        Signal: Signal(exchange="e", kind="k", value=1.0, source="user", explicit=True),
        Step: Step(turn=0, room="study", took=1, gave=0, dropped={"old": 1}),
    }  # fmt: skip
    store.append(list(one.values()))
    assert store.flush() == 9
    assert {k: from_table(store.table(k), k) for k in one} == {k: [noun] for k, noun in one.items()}
    assert {f.name for f in (store.path / "lake").iterdir()} == {k.__name__.lower() for k in one}
    assert set(KINDS) - set(one) == {kind for kind in KINDS if store.counts()[kind.__name__.lower()] == 0}


def test_two_processes_flush_at_once_and_every_row_is_there_once(tmp_path, store, process):
    others = [process(FLUSH_SOME, store.path, name) for name in "ab"]
    while any(other.poll() is None for other in others):
        store.flush()
    assert [other.wait() for other in others] == [0, 0]
    store.flush()
    assert len(seqs(store, Gap)) == 30
    assert each_once(store, Gap)
    assert each_once(store, Record)


@pytest.mark.fault
def test_a_flusher_that_is_killed_leaves_every_row_exactly_once_to_the_next(tmp_path, process):
    chance, path = random.Random(), tmp_path / "wheel"
    for kill in range(5):
        flusher = process(FLUSH_FOR_EVER, path, kill)
        assert flusher.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.01, 0.4))
        flusher.kill()
        flusher.wait()
        store = Store(path)
        store.flush()
        assert store.journal.last() == 0 or each_once(store, Gap)
        store.close()
    store = Store(path)
    assert each_once(store, Gap)
    store.close()

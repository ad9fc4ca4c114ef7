import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Gap, Signal
from openflywheel.store.journal import SCHEMA_VERSION, Journal

APPEND_AND_TELL = """
import os, sys
from itertools import count
from pathlib import Path
from threading import Thread
from openflywheel.base.nouns import Gap
from openflywheel.store.journal import Journal
journal, name = Journal(Path(sys.argv[1])), sys.argv[2]
def append(thread):
    for i in count():
        gap = Gap(topic=f"{name}-{thread}-{i}", why="")
        journal.write([gap])
        os.write(1, f"{gap.id}\\n".encode())
for thread in range(4):
    Thread(target=append, args=(thread,)).start()
"""

APPEND = """
import sys
from pathlib import Path
from openflywheel.base.nouns import Gap
from openflywheel.store.journal import Journal
journal = Journal(Path(sys.argv[1]))
for i in range(150):
    journal.write([Gap(topic=f"{sys.argv[2]}-{i}", why="")])
journal.close()
"""

FORK = """
import os, sys
from pathlib import Path
from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Gap
from openflywheel.store.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.write([Gap(topic="parent", why="")])
if child := os.fork():
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    journal.write([Gap(topic="parent goes on", why="")])
else:
    try:
        journal.write([Gap(topic="child", why="")])
    except StoreError:
        os._exit(7)
"""


@pytest.fixture
def journal(tmp_path):
    opened = Journal(tmp_path / "live.db")
    yield opened
    opened.close()


def gaps(*topics: str) -> list[Gap]:
    return [Gap(topic=t, why="") for t in topics]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def topics(journal: Journal) -> list[str]:
    return [g.topic for g in journal.between(Gap, 0, journal.last())]


def test_what_is_written_is_there_in_order(journal):
    journal.write(gaps("a", "b"))
    journal.write(iter(gaps("c")))
    assert topics(journal) == ["a", "b", "c"]
    assert [g.topic for g in journal.between(Gap, 1, 2)] == ["b"]
    assert journal.last() == 3


def test_what_is_written_survives_closing(tmp_path, journal):
    journal.write(gaps("a"))
    journal.close()
    with closing(Journal(tmp_path / "live.db")) as again:
        assert topics(again) == ["a"]


def test_many_threads_write_at_once_and_all_is_there_once(journal):
    def write(thread: int) -> None:
        for i in range(40):
            journal.write(gaps(f"{thread}-{i}"))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(16)))
    assert sorted(topics(journal)) == sorted(f"{t}-{i}" for t in range(16) for i in range(40))


def test_threads_keep_their_own_order(journal):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda t: [journal.write(gaps(f"{t}-{i}")) for i in range(30)], range(4)))
    for thread in "0123":
        assert [t for t in topics(journal) if t[0] == thread] == [f"{thread}-{i}" for i in range(30)]


def test_a_noun_that_is_here_is_not_doubled(journal):
    for _ in range(3):
        journal.write([*gaps("a", "a"), *gaps("b")])
    assert topics(journal) == ["a", "b"]


def test_a_signal_that_is_written_twice_is_heard_once(journal):
    signal = Signal(exchange="e", kind="rating", value=1.0, source="user", explicit=True)
    journal.write([signal, signal])
    journal.write([signal])
    assert journal.rows("SELECT name, seq FROM named") == [("e", 1)]


@pytest.mark.parametrize(
    "statement",
    [
        ("INSERT INTO nowhere VALUES (1)", ()),
        ("no sql", ()),
        ("UPDATE cursors SET seq = ?", ()),
        ("UPDATE cursors SET seq = ?", (2**70,)),
        ("UPDATE cursors SET state = ?", ("\ud800",)),
        ("UPDATE cursors SET state = ?", (object(),)),
        ("UPDATE cursors SET state = '\0'", ()),
    ],
    ids=["no table", "no sql", "too few values", "a huge number", "a surrogate", "an object", "NUL in SQL"],
)
def test_a_statement_that_fails_keeps_nothing_and_the_journal_goes_on(journal, statement):
    with pytest.raises(StoreError, match="nothing was kept"):
        journal.write(gaps("lost"), [("INSERT INTO cursors VALUES ('r', 1, 'p', '')", ()), statement])
    assert topics(journal) == []
    assert journal.rows("SELECT * FROM cursors") == []
    journal.write(gaps("kept"))
    assert topics(journal) == ["kept"]


def test_a_write_that_fails_does_not_fail_those_that_wait_with_it(journal):
    def write(i: int) -> bool:
        bad = [("INSERT INTO nowhere VALUES (1)", ())] if i % 3 == 0 else []
        try:
            journal.write(gaps(str(i)), bad)
        except StoreError:
            return False
        return True

    with ThreadPoolExecutor(24) as pool:
        kept = list(pool.map(write, range(240)))
    assert kept == [i % 3 != 0 for i in range(240)]
    assert sorted(map(int, topics(journal))) == [i for i in range(240) if i % 3]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"output": None}, "this exchange cannot be kept: Expected `str`, got `None` - at `\\$.output`"),
        ({"tokens": 2**63}, "at `\\$.tokens`"),
        ({"tokens": 2**80}, "this exchange cannot be kept"),
        ({"confidence": np.float32(0.5)}, "numpy.float32 is unsupported"),
        ({"input": "\ud83d"}, "surrogates not allowed"),
    ],
    ids=["no text", "too large for a column", "too large for msgpack", "a numpy number", "half an emoji"],
)
def test_a_noun_that_nobody_could_read_again_is_refused(journal, said, fields, why):
    with pytest.raises(StoreError, match=why):
        journal.write([said("hello", **fields)])
    assert journal.last() == 0


def test_odd_and_large_texts_come_back_as_they_were(journal):
    odd = ["", "\0", "a\0b", "\U0010ffff", "\u202e", "'; DROP TABLE journal; --", "x" * 10_000_000]
    journal.write(gaps(*odd))
    assert topics(journal) == odd


def test_nouns_are_found_by_their_names_however_many(journal):
    some = gaps(*map(str, range(2_000)))
    journal.write(some)
    found = journal.find(Gap, ["unknown", *(g.id for g in some)])
    assert {i: seq for i, (seq, _) in found.items()} == {g.id: n for n, g in enumerate(some, 1)}
    assert journal.find(Signal, [some[0].id]) == {}


def test_a_journal_of_a_later_release_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "live.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(
        StoreError, match=f"has schema {SCHEMA_VERSION + 1}, this release reads {SCHEMA_VERSION}"
    ):
        Journal(path)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "live.db"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match=r"live\.db cannot be opened: file is not a database"):
        Journal(path)
    assert path.read_bytes() == b"something else entirely" * 100


def test_a_query_that_fails_is_told_and_reading_goes_on(journal):
    with pytest.raises(StoreError, match=r"live\.db could not be read: no such table: nowhere"):
        journal.rows("SELECT * FROM nowhere")
    assert journal.last() == 0


def test_closing_twice_is_harmless_and_a_closed_journal_says_so(journal):
    journal.close()
    journal.close()
    with pytest.raises(StoreError, match="is closed in this process; open it again"):
        journal.write(gaps("a"))
    with pytest.raises(StoreError, match="is closed in this process; open it again"):
        journal.last()


def test_closing_while_others_write_and_read_loses_nothing_that_was_acknowledged(tmp_path, journal):
    kept: list[str] = []
    begun = Event()

    def work(thread: int) -> None:
        try:
            for i in range(100_000):
                journal.write(gaps(f"{thread}-{i}"))
                kept.append(f"{thread}-{i}")
                journal.last()
                begun.set()
        except StoreError:
            return

    threads = [Thread(target=work, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    begun.wait()
    closers = [Thread(target=journal.close) for _ in range(2)]
    for thread in closers:
        thread.start()
    for thread in [*threads, *closers]:
        thread.join()
    with closing(Journal(tmp_path / "live.db")) as again:
        assert sorted(topics(again)) == sorted(kept)


def test_threads_that_have_gone_leave_no_open_files(journal):
    journal.last()
    before = open_files()
    for _ in range(50):
        thread = Thread(target=journal.last)
        thread.start()
        thread.join()
    assert open_files() == before


def test_many_readers_at_once_leave_few_open_files(journal):
    with ThreadPoolExecutor(64) as pool:
        list(pool.map(lambda _: journal.last(), range(640)))
    assert open_files() < 100


def test_two_processes_write_at_once(tmp_path, journal, process):
    path = tmp_path / "live.db"
    others = [process(APPEND, path, name) for name in "ab"]
    for i in range(150):
        journal.write(gaps(f"c-{i}"))
    assert [other.wait() for other in others] == [0, 0]
    assert sorted(topics(journal)) == sorted(f"{name}-{i}" for name in "abc" for i in range(150))


def test_a_forked_process_is_told_to_open_the_store_anew(tmp_path, process):
    output, _ = process(FORK, tmp_path / "live.db").communicate()
    assert output.split() == ["7"]
    with closing(Journal(tmp_path / "live.db")) as again:
        assert topics(again) == ["parent", "parent goes on"]


@pytest.mark.fault
def test_what_was_acknowledged_survives_sigkill_exactly_once(tmp_path, process):
    chance, told = random.Random(), []
    for kill in range(5):
        writer = process(APPEND_AND_TELL, tmp_path / "live.db", kill)
        told += [writer.stdout.readline().strip() for _ in range(chance.randint(1, 400))]
        writer.kill()
        told += [line.strip() for line in writer.stdout if line.endswith("\n")]
    with closing(Journal(tmp_path / "live.db")) as again:
        here = [i for (i,) in again.rows("SELECT id FROM journal")]
        assert len(topics(again)) == len(here)
    assert len(here) == len(set(here))
    assert len(told) == len(set(told)) >= 5
    assert set(told) <= set(here)

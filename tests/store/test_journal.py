import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Call, Exchange, Gap, Signal
from openflywheel.store.journal import LONGEST_NAME, Journal

APPEND_AND_TELL = """
import os, sys
from itertools import count
from pathlib import Path
from threading import Thread
from openflywheel.base.nouns import Gap
from openflywheel.store.database import choose
from openflywheel.store.journal import Journal
folder, name, database, wheel = sys.argv[1:]
journal = Journal(choose(Path(folder), database or None, wheel))
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
from openflywheel.store.database import choose
from openflywheel.store.journal import Journal
folder, name, database, wheel = sys.argv[1:]
journal = Journal(choose(Path(folder), database or None, wheel))
for i in range(150):
    journal.write([Gap(topic=f"{name}-{i}", why="")])
journal.close()
"""

FORK = """
import os, sys
from pathlib import Path
from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Gap
from openflywheel.store.database import choose
from openflywheel.store.journal import Journal
folder, database, wheel = sys.argv[1:]
journal = Journal(choose(Path(folder), database or None, wheel))
journal.write([Gap(topic="parent", why="")])
journal.last()
if child := os.fork():
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    journal.write([Gap(topic="parent goes on", why="")])
else:
    try:
        journal.write([Gap(topic="child", why="")])
    except StoreError:
        journal.close()  # lets the parent's connections be
        os._exit(7)
"""


@pytest.fixture
def kept(both):
    """Everything here holds for SQLite and for PostgreSQL."""
    return both


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


def test_what_is_written_survives_closing(tmp_path, kept, journal):
    journal.write(gaps("a"))
    journal.close()
    with closing(kept.journal(tmp_path)) as again:
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


ODD = ["a\0b", "\0", "\x1a", "\x1a0", "\x1a\0", "ü\U0010ffff", "%s ? {} \\ ' \" ,", "NULL"]


def test_odd_names_and_ids_lose_no_row_and_come_back_as_they_were(journal, said):
    journal.write([said("hello", id=name, episode=name) for name in ODD])
    assert {i: seq for i, (seq, _) in journal.find(Exchange, ODD).items()} == {
        name: n for n, name in enumerate(ODD, 1)
    }
    assert [journal.named(Exchange, name) for name in ODD] == [[name] for name in ODD]
    values = ("r\0", 1, "p\x1a0", "{}")
    journal.write([], [("INSERT INTO cursors(room, seq, passage, state) VALUES (?, ?, ?, ?)", values)])
    assert journal.rows("SELECT * FROM cursors WHERE room = ?", values[:1]) == [values]


def test_a_name_of_any_length_finds_what_goes_by_it(journal, said):
    noise = random.Random(1)
    names = [
        "".join(noise.choices("0123456789abcdefü", k=n)) for n in (LONGEST_NAME, LONGEST_NAME + 1, 100_000)
    ]
    calls = [Call(surface="chat", reply=name) for name in names]
    talks = [said("hello", id=f"e{n}", episode=name) for n, name in enumerate(names)]
    journal.write([*calls, *talks])
    assert [journal.named(Call, name) for name in names] == [[call.id] for call in calls]
    assert [journal.named(Exchange, name) for name in names] == [["e0"], ["e1"], ["e2"]]


def test_of_two_with_one_id_at_once_the_first_counts_with_its_names(journal, said):
    first, second = said("first", id="x", episode="early"), said("second", id="x", episode="late")
    journal.write([first, second])
    journal.write([second])
    assert journal.between(Exchange, 0, journal.last()) == [first]
    assert (journal.named(Exchange, "early"), journal.named(Exchange, "late")) == (["x"], [])


def test_statements_run_in_their_order_after_the_rows(journal):
    set_to = "UPDATE cursors SET seq = ?, passage = ? WHERE room = 'r'"
    cursor = ("INSERT INTO cursors SELECT 'r', max(seq), '0', '100 %' FROM journal", ())
    journal.write(gaps("a", "b"), [cursor, (set_to, (3, "1")), (set_to, (4, "2"))])
    assert journal.rows("SELECT * FROM cursors WHERE state LIKE '% %'") == [("r", 4, "2", "100 %")]


def test_nouns_are_found_by_their_names_however_many(journal):
    some = gaps(*map(str, range(2_000)))
    journal.write(some)
    found = journal.find(Gap, ["unknown", *(g.id for g in some)])
    assert {i: seq for i, (seq, _) in found.items()} == {g.id: n for n, g in enumerate(some, 1)}
    assert journal.find(Signal, [some[0].id]) == {}


def test_a_query_that_fails_is_told_and_reading_goes_on(journal):
    with pytest.raises(StoreError, match=r"the journal \S+ could not be read: .*nowhere"):
        journal.rows("SELECT * FROM nowhere")
    assert journal.last() == 0


def test_closing_twice_is_harmless_and_a_closed_journal_says_so(journal):
    journal.close()
    journal.close()
    with pytest.raises(StoreError, match="is closed in this process; open it again"):
        journal.write(gaps("a"))
    with pytest.raises(StoreError, match="is closed in this process; open it again"):
        journal.last()


def test_closing_while_others_write_and_read_loses_nothing_that_was_acknowledged(tmp_path, kept, journal):
    told: list[str] = []
    begun = Event()

    def work(thread: int) -> None:
        try:
            for i in range(100_000):
                journal.write(gaps(f"{thread}-{i}"))
                told.append(f"{thread}-{i}")
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
    with closing(kept.journal(tmp_path)) as again:
        assert sorted(topics(again)) == sorted(told)


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


def test_two_processes_write_at_once(tmp_path, kept, journal, process):
    others = [process(APPEND, tmp_path, name, *kept.arguments) for name in "ab"]
    for i in range(150):
        journal.write(gaps(f"c-{i}"))
    assert [other.wait() for other in others] == [0, 0]
    assert sorted(topics(journal)) == sorted(f"{name}-{i}" for name in "abc" for i in range(150))


def test_a_forked_process_is_told_to_open_the_store_anew(tmp_path, kept, process):
    output, _ = process(FORK, tmp_path, *kept.arguments).communicate()
    assert output.split() == ["7"]
    with closing(kept.journal(tmp_path)) as again:
        assert topics(again) == ["parent", "parent goes on"]


@pytest.mark.fault
def test_what_was_acknowledged_survives_sigkill_exactly_once(tmp_path, kept, process):
    chance, told = random.Random(), []
    for kill in range(5):
        writer = process(APPEND_AND_TELL, tmp_path, kill, *kept.arguments)
        told += [writer.stdout.readline().strip() for _ in range(chance.randint(1, 400))]
        writer.kill()
        told += [line.strip() for line in writer.stdout if line.endswith("\n")]
    with closing(kept.journal(tmp_path)) as again:
        here = [i for (i,) in again.rows("SELECT id FROM journal")]
        assert len(topics(again)) == len(here)
    assert len(here) == len(set(here))
    assert len(told) == len(set(told)) >= 5
    assert set(told) <= set(here)

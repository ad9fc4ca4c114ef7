"""What holds for PostgreSQL alone; what holds for both is tested beside the journal and the store."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event, Thread
from uuid import uuid4

import psycopg
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Gap
from openflywheel.store import Store
from openflywheel.store.database import choose
from openflywheel.store.journal import Journal
from openflywheel.store.wire import TAKE_TURNS

APPEND = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from openflywheel.base.nouns import Gap
from openflywheel.store.database import choose
from openflywheel.store.journal import Journal
folder, name, database, wheel = sys.argv[1:]
journal = Journal(choose(Path(folder), database, wheel))
def append(thread):
    for i in range(100):
        journal.write([Gap(topic=f"{name}-{thread}-{i}", why="")])
with ThreadPoolExecutor(4) as pool:
    list(pool.map(append, range(4)))
journal.close()
"""

MAKE = """
import sys
from openflywheel.store import Store
store = Store(sys.argv[1], database=sys.argv[2], name=sys.argv[3])
print(store.key_of("ann"))
store.close()
"""


@pytest.fixture
def kept(postgres):
    return postgres


@pytest.fixture
def client(kept, server, journal):
    """A plain client of the server that looks at the journal's schema, outside any transaction."""
    with psycopg.connect(server.url("journals"), autocommit=True) as opened:
        opened.execute(f"SET search_path TO flywheel_{kept.name}")
        yield opened


def gap(topic: object) -> Gap:
    return Gap(topic=str(topic), why="")


def topics(journal: Journal) -> list[str]:
    return [g.topic for g in journal.between(Gap, 0, journal.last())]


def follow(journal: Journal, after: int) -> tuple[int, list[str]]:
    """What a room sees that goes by a cursor: the new cursor, and what came since the old one."""
    end = journal.last()
    return end, [g.topic for g in journal.between(Gap, after, end)]


# Order


def test_a_cursor_skips_nothing_while_two_processes_write(tmp_path, kept, journal, process):
    writers = [process(APPEND, tmp_path, name, *kept.arguments) for name in "ab"]
    cursor, seen = 0, []
    while any(writer.poll() is None for writer in writers):
        cursor, new = follow(journal, cursor)
        seen += new
    seen += follow(journal, cursor)[1]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(seen) == sorted(f"{name}-{t}-{i}" for name in "ab" for t in range(4) for i in range(100))


def test_who_writes_later_is_seen_later(client, journal):
    done, waits = Event(), "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with client.transaction():
        client.execute(TAKE_TURNS)
        client.execute("INSERT INTO journal(kind, id, body) VALUES ('gap', 'early', NULL)")
        journal.submit([gap("late")], [], lambda error: done.set())
        while not journal.rows(waits):
            assert not done.is_set()
        assert journal.last() == 0
    done.wait()
    assert journal.rows("SELECT seq, body IS NULL FROM journal ORDER BY seq") == [(1, True), (2, False)]


def test_what_waits_for_its_turn_becomes_one_transaction(client, journal):
    told = []
    with client.transaction():
        client.execute(TAKE_TURNS)
        for n in range(64):
            journal.submit([gap(n)], [], told.append)
    journal.close()
    assert told == [None] * 64
    transactions = client.execute("SELECT count(DISTINCT xmin::text), count(*) FROM journal").fetchone()
    assert transactions[0] <= 2
    assert transactions[1] == 64


# Several gateways


def test_gateways_with_folders_of_their_own_share_one_log_and_one_key(tmp_path, kept):
    with closing(kept.store(tmp_path / "one")) as one, closing(kept.store(tmp_path / "two")) as two:
        one.append([gap("a")])
        two.append([gap("b"), gap("a")])
        assert one.all(Gap) == two.all(Gap)
        assert [g.topic for g in one.all(Gap)] == ["a", "b"]
        assert one.key_of("ann") == two.key_of("ann")
        assert not (one.path / "key").exists()
        assert one.table(Gap).num_rows == two.table(Gap).num_rows == 2


def test_a_shared_journal_is_not_emptied_so_a_new_lake_can_be_filled_from_it(tmp_path, kept, store):
    store.append([gap(n) for n in range(10)])
    store.trim([], keep=0)
    assert store.lake.read(Gap).num_rows == 10
    with closing(kept.store(tmp_path / "another")) as another:
        assert another.table(Gap).num_rows == 10
        assert len(another.all(Gap)) == 10


def test_wheels_of_other_names_share_a_database_and_nothing_else(tmp_path, server):
    names = [uuid4().hex, f'a "b" %s ? {uuid4().hex[:8]}', ""]
    stores = [Store(tmp_path / str(n), database=server.url("wheels"), name=x) for n, x in enumerate(names)]
    for n, store in enumerate(stores):
        store.append([gap(n)])
    assert [[g.topic for g in store.all(Gap)] for store in stores] == [["0"], ["1"], ["2"]]
    assert len({store.key_of("ann") for store in stores}) == 3
    for store in stores:
        store.close()


def test_many_processes_make_the_database_at_once(tmp_path, server, process):
    url = server.url("made_at_once")
    started = [process(MAKE, tmp_path / str(n), url, "wheel") for n in range(4)]
    keys = {one.communicate()[0] for one in started}
    assert [one.returncode for one in started] == [0] * 4
    assert len(keys) == 1


# A folder and its journal belong together


def test_a_folder_with_a_journal_of_its_own_is_refused(tmp_path, kept):
    Store(tmp_path / "wheel").close()
    with pytest.raises(
        StoreError, match=r"has a journal already, live.db: take  database: postgresql://wheel:\*"
    ):
        kept.store(tmp_path / "wheel")


def test_a_folder_of_another_journal_is_refused(store, server):
    for database, name in ((store.journal, "other"), (server.url("elsewhere"), "")):
        url = database if isinstance(database, str) else server.url("journals")
        with pytest.raises(StoreError, match="belongs to a journal in another database than"):
            Store(store.path, database=url, name=name)
    with pytest.raises(StoreError, match="is kept in PostgreSQL"):
        Store(store.path)


def test_a_journal_of_a_later_release_is_refused(tmp_path, kept, client):
    client.execute("UPDATE meta SET value = '2' WHERE name = 'version'")
    with pytest.raises(StoreError, match=f"flywheel_{kept.name} has schema 2, this release reads 1"):
        kept.journal(tmp_path)


def test_a_name_that_would_be_cut_is_refused(tmp_path, server):
    for name in ("n" * 54, "ü" * 27):
        choose(tmp_path, server.url("journals"), name)
        with pytest.raises(StoreError, match="is too long for .*; it may have 54 bytes"):
            choose(tmp_path, server.url("journals"), f"{name}n")


# The server goes and comes


@pytest.fixture
def restart(server):
    """Let others find the server running, however a test ends."""
    yield
    if not (server.folder / "data" / "postmaster.pid").exists():
        server.start()


@pytest.mark.fault
@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_is_down_is_told_and_found_again(server, journal, restart, how):
    journal.write([gap("before")])
    server.stop(how)
    for _ in range(2):
        with pytest.raises(StoreError, match="failed: Connection refused.*; nothing was kept") as caught:
            journal.write([gap("lost")])
        assert "//wheel:***@127.0.0.1" in str(caught.value)
        with pytest.raises(
            StoreError, match=r"the journal postgresql://wheel:\*\*\*@\S+ could not be read: "
        ):
            journal.last()
    server.start()
    journal.write([gap("after")])
    assert topics(journal) == ["before", "after"]


@pytest.mark.fault
def test_a_restart_between_two_writes_is_not_noticed(server, journal, restart):
    journal.write([gap("before")])
    server.stop()
    server.start()
    assert journal.last() == 1
    journal.write([gap("after")])
    assert topics(journal) == ["before", "after"]


@pytest.mark.fault
def test_what_was_acknowledged_survives_the_death_of_the_server(server, journal, restart):
    told, refused, some, stop = [], [], Event(), Event()

    def write(thread: int) -> None:
        n = 0
        while not stop.is_set():
            try:
                journal.write([gap(f"{thread}-{n}")])
            except StoreError as error:
                refused.append(str(error))
            else:
                told.append(f"{thread}-{n}")
                if len(told) > 200:
                    some.set()
            n += 1

    threads = [Thread(target=write, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    some.wait()
    server.stop("immediate")
    while not refused:
        pass
    server.start()
    stop.set()
    for thread in threads:
        thread.join()
    here = topics(journal)
    assert len(here) == len(set(here))
    assert set(told) <= set(here)
    surely_lost = sum("nothing was kept" in error for error in refused)
    assert len(here) - len(told) <= len(refused) - surely_lost


@pytest.mark.fault
def test_a_connection_that_is_cut_inside_a_transaction_costs_nothing(client, journal):
    done = []
    with client.transaction():
        client.execute(TAKE_TURNS)
        journal.submit([gap("a")], [], done.append)
        waits = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not (pids := journal.rows(waits)):
            assert not done
        client.execute("SELECT pg_terminate_backend(%s)", pids[0])
    journal.close()
    assert done == [None]
    assert client.execute("SELECT count(*) FROM journal").fetchone() == (1,)


@pytest.fixture
def waiting_for_a_standby(client):
    """Commits are done but not acknowledged: they wait for a second server that does not exist."""
    client.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    client.execute("SELECT pg_reload_conf()")
    while client.execute("SHOW synchronous_standby_names").fetchone() != ("nobody",):
        pass
    yield
    client.execute("ALTER SYSTEM RESET synchronous_standby_names")
    client.execute("SELECT pg_reload_conf()")


@pytest.mark.fault
def test_a_commit_whose_end_nobody_saw_is_not_called_lost(client, waiting_for_a_standby, journal):
    done = []
    journal.submit([gap("a")], [], done.append)
    commits = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    while not (pids := client.execute(commits).fetchall()):
        assert not done
    client.execute("SELECT pg_terminate_backend(%s)", pids[0])
    journal.close()
    [error] = done
    assert "whether it was kept is not known; to write it again is harmless" in str(error)
    assert client.execute("SELECT count(*) FROM journal").fetchone() == (1,)


# Connections


@pytest.mark.parametrize(("durability", "synchronous"), [("disk", "on"), ("process", "off")])
def test_only_the_disk_waits_for_fsync(tmp_path, kept, durability, synchronous):
    with closing(kept.journal(tmp_path, durability=durability)) as journal:
        sql = "INSERT INTO cursors VALUES ('r', 1, current_setting('synchronous_commit'), '')"
        journal.write([], [(sql, ())])
        assert journal.rows("SELECT passage FROM cursors") == [(synchronous,)]


def test_a_closed_journal_leaves_no_connection(client, journal):
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: journal.write([gap(n)]) or journal.last(), range(64)))
    journal.close()
    others = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'openflywheel'"
    while client.execute(others).fetchone() != (0,):  # the server notices in its own time
        pass


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://ann:p4ss@127.0.0.1:1/turns",
            "port 1 failed: Connection refused.*; start it, or correct",
        ),
        ("postgresql://ann:p4ss@127.0.0.1:one/turns", 'invalid integer value "one"'),
        ("postgresql://ann:p4/s:s@x@127.0.0.1:1/turns", "its password must have / . # @ written as %2F"),
        ("postgresql://127.0.0.1:1/turns?password=p4ss&a=b", 'invalid URI query parameter: "a"'),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_its_password(tmp_path, url, said):
    with pytest.raises(StoreError, match=said) as caught:
        Store(tmp_path / "wheel", database=url)
    assert "p4" not in str(caught.value)
    assert "\n" not in str(caught.value)

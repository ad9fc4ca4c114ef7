import logging
from threading import Event, Thread

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Gap
from openflywheel.store.group_commit import MOST, GroupCommit, Row, Unreachable, Write


class Shelf:
    """A writer that keeps batches in a list; it stands still inside a commit until `go` is set."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.tried: list[int] = []
        self.inside, self.go, self.closed = Event(), Event(), 0

    def commit(self, batch) -> None:
        self.inside.set()
        self.go.wait()
        self.tried.append(len(batch))
        ids = [row.id for write in batch for row in write.rows]
        if "gone" in ids:
            raise Unreachable("the server is gone")
        if "bad" in ids:
            raise ValueError("bad value")
        self.batches.append(ids)

    def close(self) -> None:
        self.closed += 1


class Told(dict):
    """What each writer was told, by the id of its row."""

    def write(self, id: str) -> Write:
        return Write([Row("gap", id, b"")], (), lambda error: self.update({id: error}))


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def commits(shelf):
    opened = GroupCommit(shelf)
    yield opened
    shelf.go.set()
    opened.close()


def put_all(commits, shelf, ids) -> Told:
    """Queue the first, wait until it is being written, queue the others behind it, let all go."""
    told = Told()
    for number, id in enumerate(ids):
        assert commits.put(told.write(id))
        if number == 0:
            shelf.inside.wait()
    shelf.go.set()
    commits.close()
    return told


def test_what_waits_while_another_is_written_becomes_one_transaction(commits, shelf):
    told = put_all(commits, shelf, "abcd")
    assert shelf.batches == [["a"], ["b", "c", "d"]]
    assert told == dict.fromkeys("abcd")


def test_a_transaction_has_an_upper_bound(commits, shelf):
    ids = [str(n) for n in range(1 + 2 * MOST + 3)]
    told = put_all(commits, shelf, ids)
    assert [len(batch) for batch in shelf.batches] == [1, MOST, MOST, 3]
    assert [id for batch in shelf.batches for id in batch] == list(told) == ids


def test_nobody_is_told_before_the_commit(commits, shelf):
    told = Told()
    commits.put(told.write("a"))
    shelf.inside.wait()
    assert told == {}
    shelf.go.set()
    commits.close()
    assert told == {"a": None}


def test_of_a_batch_that_fails_each_is_tried_alone(commits, shelf):
    told = put_all(commits, shelf, ["first", "a", "bad", "b"])
    assert shelf.tried == [1, 3, 1, 1, 1]
    assert shelf.batches == [["first"], ["a"], ["b"]]
    assert isinstance(told["bad"], StoreError)
    assert str(told.pop("bad")) == "the journal could not be written: bad value; nothing was kept"
    assert told == {"first": None, "a": None, "b": None}


def test_when_the_database_is_gone_a_batch_is_tried_once_and_all_are_told(commits, shelf):
    told = put_all(commits, shelf, ["first", "a", "gone", "b"])
    assert shelf.tried == [1, 3]
    assert {id: str(error) for id, error in told.items() if error} == dict.fromkeys(
        ["a", "gone", "b"], "the server is gone"
    )


def test_who_cannot_be_told_does_not_stop_the_others(commits, shelf, caplog):
    def gone(error) -> None:
        raise RuntimeError("the loop is closed")

    told = Told()
    with caplog.at_level(logging.ERROR):
        for write in (told.write("a"), Write([Row("gap", "b", b"")], (), gone), told.write("c")):
            commits.put(write)
        shelf.go.set()
        commits.close()
    assert told == {"a": None, "c": None}
    assert "nobody could be told how a write ended" in caplog.text
    assert "the loop is closed" in caplog.text


def test_closing_writes_what_waits_then_lets_go_once(commits, shelf):
    told = put_all(commits, shelf, "abc")  # closes
    commits.close()
    assert told.keys() == set("abc")
    assert shelf.closed == 1
    assert not commits.open
    assert not commits.put(told.write("late"))
    assert "late" not in told


def test_nothing_enters_the_queue_behind_its_end(commits, shelf):
    told, taken = Told(), []

    def put(thread: int) -> None:
        n = 0
        while commits.put(told.write(f"{thread}-{n}")):
            taken.append(f"{thread}-{n}")
            n += 1

    threads = [Thread(target=put, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    shelf.inside.wait()
    shelf.go.set()
    commits.close()
    for thread in threads:
        thread.join()
    assert sorted(told) == sorted(taken)


def test_submit_tells_later_and_write_waits(store):
    done, errors = Event(), []

    def told(error) -> None:
        errors.append(error)
        done.set()

    store.journal.submit([Gap(topic="a", why="")], [], told)
    done.wait()
    store.journal.write([Gap(topic="b", why="")])
    assert errors == [None]
    assert [g.topic for g in store.all(Gap)] == ["a", "b"]


def test_submit_tells_of_a_statement_that_fails_and_raises_what_cannot_be_kept(store):
    done, errors = Event(), []

    def told(error) -> None:
        errors.append(str(error))
        done.set()

    with pytest.raises(StoreError, match="this gap cannot be kept"):
        store.journal.submit([Gap(topic=None, why="")], [], told)
    store.journal.submit([Gap(topic="a", why="")], [("INSERT INTO nowhere VALUES (1)", ())], told)
    done.wait()
    assert errors == ["the journal could not be written: no such table: nowhere; nothing was kept"]
    assert store.all(Gap) == []


def test_a_closed_journal_takes_nothing_more(store):
    store.close()
    with pytest.raises(StoreError, match="is closed in this process; open it again"):
        store.journal.submit([Gap(topic="a", why="")], [], print)

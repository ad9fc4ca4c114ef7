import sqlite3
from contextlib import closing

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.nouns import Gap
from openflywheel.store.journal import Journal
from openflywheel.store.sqlite import SCHEMA_VERSION, SQLite


def test_a_journal_of_a_later_release_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "live.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(
        StoreError, match=f"has schema {SCHEMA_VERSION + 1}, this release reads {SCHEMA_VERSION}"
    ):
        Journal(SQLite(tmp_path))
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "live.db"
    path.write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreError, match=r"live\.db cannot be opened: file is not a database"):
        Journal(SQLite(tmp_path))
    assert path.read_bytes() == b"something else entirely" * 100


@pytest.mark.parametrize(("durability", "synchronous"), [("disk", 2), ("process", 1)])  # FULL, NORMAL
def test_only_the_disk_waits_for_fsync(tmp_path, durability, synchronous):
    writer = SQLite(tmp_path, durability).writer()
    with closing(writer):
        assert writer._connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)


def test_a_folder_whose_journal_is_in_postgresql_is_refused(tmp_path):
    (tmp_path / "database").write_bytes(b"some journal")
    with pytest.raises(StoreError, match="is kept in PostgreSQL: set  database:  in flywheel.yaml again"):
        Journal(SQLite(tmp_path))
    assert not (tmp_path / "live.db").exists()


def test_what_was_emptied_cannot_be_read_from_the_file(tmp_path):
    with closing(Journal(SQLite(tmp_path))) as journal:
        journal.write([Gap(topic="a very private matter", why="")])
        journal.write([], [("UPDATE journal SET body = NULL", ())])
    assert b"private matter" not in (tmp_path / "live.db").read_bytes()

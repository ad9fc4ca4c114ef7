import sys

import pytest

from openflywheel.base.errors import MissingExtra, StoreError
from openflywheel.store import Store
from openflywheel.store.database import choose, reach
from openflywheel.store.sqlite import SQLite


@pytest.mark.parametrize("database", [None, "sqlite:///turns.db"])
def test_without_a_server_the_journal_lies_in_the_folder(tmp_path, database):
    assert isinstance(choose(tmp_path, database), SQLite)
    Store(tmp_path / "wheel", database=database).close()
    assert (tmp_path / "wheel" / "live.db").exists()


def test_a_database_of_another_kind_is_refused_without_its_password(tmp_path):
    said = r"mysql://ann:\*\*\*@host/turns cannot be used: it is neither postgresql:// nor sqlite:///"
    for ask in (lambda url: choose(tmp_path, url), reach):
        with pytest.raises(StoreError, match=said):
            ask("mysql://ann:p4ss@host/turns")


def test_a_driver_that_is_missing_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "openflywheel.store.postgres", raising=False)
    monkeypatch.delitem(sys.modules, "openflywheel.store.wire", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(
        MissingExtra, match=r"//ann:\*\*\*@host/turns needs 'psycopg' .*: pip install 'psycopg\[binary\]'"
    ):
        choose(tmp_path, "postgresql://ann:p4ss@host/turns")


def test_a_file_of_sqlite_needs_its_folder(tmp_path):
    assert reach(f"sqlite:///{tmp_path}/turns.db") == f"SQLite in {tmp_path}"
    with pytest.raises(StoreError, match=f"there is no folder {tmp_path}/nowhere"):
        reach(f"sqlite:///{tmp_path}/nowhere/turns.db")
    assert list(tmp_path.iterdir()) == []


def test_a_server_is_reached_and_nothing_is_made(server):
    assert reach(server.url("postgres")).startswith("PostgreSQL ")
    for _ in range(2):
        assert "the database will be made" in reach(server.url("not_there"))


def test_a_server_that_cannot_be_reached_is_told(server):
    with pytest.raises(StoreError, match="port 1 failed: .*; start it, or correct  database:"):
        reach("postgresql://ann:p4ss@127.0.0.1:1/turns")
    with pytest.raises(StoreError, match="password authentication failed") as caught:
        reach(server.url("postgres", password="wr0ng"))
    assert "wr0ng" not in str(caught.value)

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import text

from openflywheel.base.errors import SettingsError
from openflywheel.collect._rows.database import Database


@pytest.fixture
def folder(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a b#%.db")) as db, db:
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (1)")
    return tmp_path


def test_odd_names_of_files_and_relative_paths_are_found(folder):
    with Database("sqlite:///a b#%.db", folder).reading() as connection:
        assert connection.execute(text("SELECT x FROM t")).scalar_one() == 1


def test_the_file_is_opened_read_only_whatever_the_connection_is_told(folder):
    with (
        pytest.raises(SettingsError, match="readonly"),
        Database("sqlite:///a b#%.db", folder).reading() as connection,
    ):
        connection.exec_driver_sql("PRAGMA query_only = off")
        connection.exec_driver_sql("DELETE FROM t")
    with closing(sqlite3.connect(folder / "a b#%.db")) as db:
        assert db.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_what_is_shown_has_no_password_and_what_is_stored_no_user():
    database = Database("postgresql+psycopg://me:geheim@db.example:5433/desk?sslmode=require", None)
    assert database.shown == "postgresql+psycopg://me:***@db.example:5433/desk?sslmode=require"
    assert database.uri == "postgresql://db.example:5433/desk"


def test_a_driver_that_is_missing_is_named(tmp_path):
    with pytest.raises(SettingsError, match="needs the driver 'MySQLdb'; install it, or name one"):
        Database("mysql://me:geheim@h/d", tmp_path)

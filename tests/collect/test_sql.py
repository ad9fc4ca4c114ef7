import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect.sql import check, discover, sql

GAP = Gap(topic="route", why="cold start", task="route")
TICKETS = [
    (1, "where is it?", "delivery", "ann@example.com", "2026-01-01T10:00:00"),
    (2, "give it back", "refund", "bob@example.com", "2026-01-01T10:00:00"),
    (3, "it is broken", None, "ann@example.com", "2026-01-02T10:00:00"),
]


def key(person):
    return "key-" + str(len(person))


def make(folder, rows=TICKETS, name="desk.db"):
    with closing(sqlite3.connect(folder / name)) as db, db:
        db.execute(
            "CREATE TABLE tickets (id INTEGER PRIMARY KEY, body TEXT, team TEXT, mail TEXT, changed TEXT)"
        )
        db.executemany("INSERT INTO tickets VALUES (?, ?, ?, ?, ?)", rows)
    return f"sqlite:///{name}"


def add(folder, *rows):
    with closing(sqlite3.connect(folder / "desk.db")) as db, db:
        db.executemany("INSERT INTO tickets VALUES (?, ?, ?, ?, ?)", rows)


def read(folder, state=None, **settings):
    told = {"table": "tickets", "text": "body", "label": "team"} | settings
    if "query" in settings:
        told.pop("table")
    return list(sql(GAP, folder=folder, state={} if state is None else state, subject=key, **told))


def texts(found):
    return [r.text for r in found if isinstance(r, Record)]


def test_rows_become_records_with_label_person_date_and_facts(tmp_path):
    url = make(tmp_path)
    first, _, third = read(tmp_path, url=url, person="mail", published="changed")
    assert (first.text, first.labels, first.labelled_by) == ("where is it?", {"route": "delivery"}, "seed")
    assert first.subject == key("ann@example.com")
    assert first.meta == {"id": "1", "published": "2026-01-01T10:00:00"}
    assert (first.source, first.uri) == ("sql", f"sqlite:///{tmp_path}/desk.db#tickets")
    assert (third.labels, third.labelled_by) == ({}, "")
    assert "example.com" not in str([first.meta, third.meta])


def test_a_query_of_ones_own_with_several_texts_and_chosen_facts(tmp_path):
    url = make(tmp_path)
    query = "SELECT id, body, team AS title, mail, 'https://desk/' || id AS link FROM tickets WHERE id < 3;"
    first, second = read(
        tmp_path, url=url, query=query, text=("title", "body"), label="", uri="link", meta=("id",)
    )
    assert first.text == "delivery\nwhere is it?"
    assert (second.uri, second.meta, second.labels) == ("https://desk/2", {"id": "2"}, {})


def test_rows_without_text_are_dropped_with_a_reason(tmp_path):
    url = make(tmp_path, [(1, None, "a", "", ""), (2, "  ", "a", "", ""), (3, "x" * 1_000_001, "a", "", "")])
    assert [d.reason for d in read(tmp_path, url=url)] == ["no text"] * 2 + [
        "text longer than 1,000,000 characters"
    ]


def test_only_what_is_new_is_read_and_ties_at_the_boundary_once_more(tmp_path):
    url, state = make(tmp_path), {}
    assert len(read(tmp_path, state, url=url, cursor="changed")) == 3
    add(tmp_path, (4, "late, at the same moment", "a", "", "2026-01-02T10:00:00"))
    add(tmp_path, (5, "and a new one", "a", "", "2026-01-03T10:00:00"))
    again = texts(read(tmp_path, state, url=url, cursor="changed"))
    assert again == ["it is broken", "late, at the same moment", "and a new one"]
    assert texts(read(tmp_path, state, url=url, cursor="changed")) == ["and a new one"]
    assert len(str(state)) < 100


def test_most_never_cuts_a_tie_and_every_turn_gets_further(tmp_path):
    rows = [(n, f"row {n}", "a", "", f"2026-01-0{1 + n // 4}") for n in range(12)]  # four rows a day
    url, state = make(tmp_path, rows), {}
    seen = [texts(read(tmp_path, state, url=url, cursor="changed", most=3)) for _ in range(4)]
    days = [[f"row {n}" for n in range(day, day + 4)] for day in (0, 4, 8)]
    assert seen == [days[0], days[0] + days[1], days[1] + days[2], days[2]]


def test_without_a_cursor_every_turn_reads_the_first_rows(tmp_path):
    url, state = make(tmp_path), {}
    assert [texts(read(tmp_path, state, url=url, most=2)) for _ in range(2)] == [
        ["where is it?", "give it back"]
    ] * 2
    assert state == {"route": {}}


def test_a_reader_that_is_stopped_half_way_reads_the_unfinished_value_again(tmp_path):
    url, state = make(tmp_path), {}
    rows = sql(
        GAP, url=url, table="tickets", text="body", cursor="id", folder=tmp_path, state=state, subject=key
    )
    assert [next(rows).text, next(rows).text] == ["where is it?", "give it back"]
    rows.close()
    assert texts(read(tmp_path, state, url=url, cursor="id")) == [
        "where is it?",
        "give it back",
        "it is broken",
    ]


def test_a_query_goes_on_from_last(tmp_path):
    url, state = make(tmp_path), {}
    query = "SELECT id, body FROM tickets WHERE id > :last ORDER BY id"
    told = {"url": url, "query": query, "cursor": "id", "label": ""}
    assert texts(read(tmp_path, state, start=1, **told)) == ["give it back", "it is broken"]
    assert read(tmp_path, state, start=1, **told) == []
    add(tmp_path, (9, "new", None, "", ""))
    assert texts(read(tmp_path, state, start=1, **told)) == ["new"]


def test_two_tables_of_one_database_do_not_share_their_cursor(tmp_path):
    url, state = make(tmp_path), {}
    with closing(sqlite3.connect(tmp_path / "desk.db")) as db, db:
        db.execute("CREATE TABLE notes AS SELECT * FROM tickets WHERE id = 1")
    assert len(read(tmp_path, state, url=url, cursor="id")) == 3
    assert len(read(tmp_path, state, url=url, cursor="id", table="notes")) == 1


def test_each_task_reads_the_rows_for_itself(tmp_path):
    url, state = make(tmp_path), {}
    assert len(read(tmp_path, state, url=url, cursor="id")) == 3
    tone = Gap(topic="tone", why="cold start", task="tone")
    told = {
        "url": url,
        "table": "tickets",
        "text": "body",
        "label": "team",
        "cursor": "id",
        "folder": tmp_path,
    }
    first, *_ = sql(tone, state=state, subject=key, **told)
    assert first.labels == {"tone": "delivery"}


def test_rows_without_a_cursor_are_said_and_do_not_stop_the_others(tmp_path):
    url, state = make(tmp_path, [*TICKETS, (4, "when?", None, "", None)]), {}
    found = read(tmp_path, state, url=url, cursor="changed")
    assert [f for f in found if isinstance(f, Drop)] == [Drop("row without a cursor")]
    assert len(texts(found)) == 3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cursor": "id", "query": "SELECT id, body FROM tickets"}, "WHERE id >= :last ORDER BY id"),
        ({"cursor": "id", "query": "SELECT id, body FROM tickets WHERE id > :last"}, "start: 0"),
        (
            {
                "cursor": "id",
                "start": 0,
                "query": "SELECT id, body FROM tickets WHERE id > :last ORDER BY id DESC",
            },
            "add ORDER BY id",
        ),
        ({"table": "ticket"}, "there is no table 'ticket'; did you mean 'tickets'"),
        ({"text": "bodi"}, "tickets: there is no column 'bodi'; did you mean 'body'"),
        ({"label": "tem"}, "did you mean 'team'"),
        ({"cursor": "changd"}, "tickets has no column 'changd'; did you mean 'changed'"),
        ({"query": "SELECT nowhere FROM tickets"}, "no such column"),
        ({"query": "SELEC 1"}, "syntax error"),
        ({"query": "SELECT body FROM tickets WHERE id = :what"}, "what"),
        ({"table": ""}, "needs a table or a query, and not both; tables: tickets"),
    ],
)
def test_mistakes_are_explained(tmp_path, settings, said):
    url = make(tmp_path)
    with pytest.raises(SettingsError) as error:
        read(tmp_path, **({"url": url, "label": ""} | settings))
    assert said in str(error.value)


@pytest.mark.parametrize(
    "url", ["sqlite:///none.db", "nonsense", "oracle+unheard://h/d", "postgresql://u:geheim@h:x/d"]
)
def test_a_wrong_url_is_explained_without_its_password(tmp_path, url):
    with pytest.raises(SettingsError) as error:
        read(tmp_path, url=url)
    assert "geheim" not in str(error.value)


def test_nothing_can_be_written_through_it(tmp_path):
    url = make(tmp_path)
    for statement in (
        "DELETE FROM tickets RETURNING *",
        "INSERT INTO tickets VALUES (7, 'x', '', '', '') RETURNING *",
    ):
        with pytest.raises(SettingsError, match="readonly"):
            read(tmp_path, url=url, query=statement, label="")
    assert len(read(tmp_path, url=url)) == 3


def test_names_are_quoted_and_never_run(tmp_path):
    with closing(sqlite3.connect(tmp_path / "desk.db")) as db, db:
        db.execute('CREATE TABLE "odd ""name; DROP TABLE x" ("the text" TEXT, "order" INTEGER)')
        db.execute('INSERT INTO "odd ""name; DROP TABLE x" VALUES (\'fine\', 1)')
    name = 'odd "name; DROP TABLE x'
    found = read(tmp_path, url="sqlite:///desk.db", table=name, text="the text", label="", cursor="order")
    assert texts(found) == ["fine"]


def test_what_is_there_is_shown_without_reading_it(tmp_path):
    url = make(tmp_path)
    [listed] = discover(GAP, url=url, folder=tmp_path)
    assert (listed.name, listed.items, listed.columns) == (
        "tickets",
        None,
        ("id", "body", "team", "mail", "changed"),
    )
    [chosen] = discover(GAP, url=url, table="tickets", folder=tmp_path)
    assert (chosen.name, chosen.items) == ("tickets", 3)
    [asked] = discover(GAP, url=url, query="SELECT id FROM tickets", folder=tmp_path)
    assert (asked.name, asked.items, asked.columns) == ("query", None, ("id",))


def test_check_finds_a_wrong_column_and_passes_a_right_one(tmp_path):
    url = make(tmp_path)
    check(url=url, table="tickets", text="body", folder=tmp_path)
    with pytest.raises(SettingsError, match="no column 'text'"):
        check(url=url, table="tickets", folder=tmp_path)


def test_a_database_that_is_none_is_refused(tmp_path):
    (tmp_path / "desk.db").write_text(
        "this is a text, and a long one, so that it has a whole header in it" * 20
    )
    with pytest.raises((SettingsError, SourceFailed), match="not a database"):
        read(tmp_path, url="sqlite:///desk.db")


@pytest.fixture(scope="module")
def desk(server):
    with psycopg.connect(server.url("postgres"), autocommit=True) as db:
        db.execute("CREATE DATABASE desk")
    with psycopg.connect(server.url("desk"), autocommit=True) as db:
        db.execute("CREATE SCHEMA help")
        db.execute(
            "CREATE TABLE help.tickets (id SERIAL, body TEXT, price NUMERIC, changed TIMESTAMPTZ, more JSONB)"
        )
        db.execute(
            "INSERT INTO help.tickets (body, price, changed, more) SELECT 'row ' || n, 1.50, "
            "'2026-01-01T00:00:00Z'::timestamptz + (n / 10) * interval '1 s', '{\"a\": 1}' "
            "FROM generate_series(0, 2999) n"
        )
        db.execute(
            "CREATE FUNCTION sly() RETURNS text LANGUAGE sql AS $$ DELETE FROM help.tickets RETURNING body $$"
        )
    return server.url("desk")


def pg(url, state=None, **settings):
    told = {"table": "help.tickets", "text": "body", "label": ""} | settings
    return list(sql(GAP, url=url, folder=None, state={} if state is None else state, subject=key, **told))


def test_postgresql_is_streamed_and_goes_on_from_a_moment(desk):
    state = {}
    found = pg(desk, state, cursor="changed", most=1_000)
    assert len(found) == 1_000
    assert found[0].meta["price"] == "1.50"
    assert found[0].uri.startswith("postgresql://127.0.0.1")
    assert "s3cret" not in str(found[0])
    [kept] = state["route"].values()
    assert kept["last"].keys() == {"datetime"}
    assert datetime.fromisoformat(kept["last"]["datetime"]) == datetime(2026, 1, 1, 0, 1, 39, tzinfo=UTC)
    seen = {r.text for r in found}
    for _ in range(3):
        seen |= {r.text for r in pg(desk, state, cursor="changed", most=1_000)}
    assert seen == {f"row {n}" for n in range(3_000)}


def test_postgresql_lets_nothing_be_written_not_even_by_a_function(desk):
    with pytest.raises(SettingsError, match="read-only"):
        pg(desk, table="", query="SELECT sly() AS body")
    assert len(pg(desk)) == 3_000


def test_postgresql_a_query_with_last_and_a_start(desk):
    query = "SELECT id, body FROM help.tickets WHERE id > :last ORDER BY id"
    state = {}
    assert len(pg(desk, state, table="", query=query, cursor="id", start=2_990)) == 10
    assert pg(desk, state, table="", query=query, cursor="id", start=2_990) == []


def test_postgresql_starts_where_it_is_told(desk):
    assert len(pg(desk, cursor="changed", start="2026-01-01T00:04:59+00:00")) == 10


def test_postgresql_refuses_and_the_password_is_not_told(server, desk):
    wrong = server.url("desk", password="ganz-geheim")
    with pytest.raises(SourceFailed, match=r"wheel:\*\*\*@127.0.0.1.*flywheel turn") as refused:
        pg(wrong)
    assert "ganz-geheim" not in str(refused.value)
    with pytest.raises(SourceFailed, match=r'"\*\*\*" does not exist') as unknown:
        pg(server.url("s3cret"))  # a database that is called like the password
    assert "wheel:***@" in str(unknown.value)
    with pytest.raises(SettingsError, match="did you mean|choices"):
        pg(desk, table="help.ticket")


def test_postgresql_is_discovered(desk):
    [stream] = discover(GAP, url=desk, table="help.tickets", folder=None)
    assert (stream.items, stream.columns) == (3_000, ("id", "body", "price", "changed", "more"))


def test_no_connection_is_left_open(desk):
    rows = sql(GAP, url=desk, table="help.tickets", text="body", label="", folder=None, state={}, subject=key)
    next(rows)
    rows.close()
    with psycopg.connect(desk) as db:
        [(others,)] = db.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'desk' AND pid <> pg_backend_pid() "
            "AND state <> 'idle'"
        ).fetchall()
    assert others == 0

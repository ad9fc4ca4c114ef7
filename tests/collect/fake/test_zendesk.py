import pytest

from openflywheel.collect._fake.server import running
from openflywheel.collect._fake.zendesk import ticket
from openflywheel.collect._rows.api import basic

EXPORT = "/zendesk/api/v2/incremental/tickets/cursor.json"


@pytest.fixture
def ask(web):
    with running({"keys": ["geheim"]}) as far:

        def asked(path, key="geheim", user="me@acme.example/token"):
            return web.get(far.url + path, headers=basic(user, key))

        asked.desk = far.desk
        yield asked


def test_the_export_goes_by_cursor_to_the_end_of_the_stream(ask):
    ask.desk.memory["zendesk"] = [ticket(n) for n in range(1, 6)]
    path, seen = f"{EXPORT}?start_time=0&per_page=2", []
    for _ in range(3):
        body = ask(path).json()
        seen += [t["id"] for t in body["tickets"]]
        assert body["after_cursor"] in body["after_url"].replace("%3D", "=")
        path = f"{EXPORT}?cursor={body['after_cursor']}&per_page=2"
    assert (seen, body["end_of_stream"]) == ([1, 2, 3, 4, 5], True)
    assert ask(path).json()["tickets"] == []


def test_side_loads_come_only_when_they_are_asked_for(ask):
    assert "groups" not in ask(f"{EXPORT}?start_time=0").json()
    assert "groups" in ask(f"{EXPORT}?start_time=0&include=groups").json()
    assert "users" in ask("/zendesk/api/v2/tickets/1/comments.json?include=users").json()


def test_comments_have_pages(ask):
    first = ask("/zendesk/api/v2/tickets/1/comments.json?page[size]=2").json()
    assert (len(first["comments"]), first["meta"]["has_more"]) == (2, True)
    rest = ask("/zendesk" + first["links"]["next"].partition("/zendesk")[2]).json()
    assert (len(rest["comments"]), rest["meta"]["has_more"]) == (1, False)


def test_refusals(ask):
    assert ask(f"{EXPORT}?start_time=0", key="falsch").status == 401
    assert ask(f"{EXPORT}?start_time=0", user="me@acme.example").status == 401
    assert ask(EXPORT).status == 400
    assert ask("/zendesk/api/v2/tickets/99/comments.json").status == 404
    assert ask("/zendesk/api/v2/tickets/count.json").json()["count"]["value"] == 3

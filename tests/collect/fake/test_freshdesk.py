import pytest

from openflywheel.collect._fake.freshdesk import ticket
from openflywheel.collect._fake.server import running
from openflywheel.collect._rows.api import basic

TICKETS = "/freshdesk/api/v2/tickets"
ALL = "updated_since=1970-01-01T00:00:00Z&order_by=updated_at&order_type=asc"


@pytest.fixture
def ask(web):
    with running({"keys": ["geheim"]}) as far:

        def asked(path, key="geheim"):
            return web.get(far.url + path, headers=basic(key, "X"))

        asked.desk = far.desk
        yield asked


def test_pages_have_a_link_to_the_next(ask):
    ask.desk.memory["freshdesk"] = [ticket(n) for n in range(1, 6)]
    first = ask(f"{TICKETS}?{ALL}&per_page=3")
    assert [t["id"] for t in first.json()] == [1, 2, 3]
    assert 'page=2>; rel="next"' in first.headers["link"]
    last = ask(f"{TICKETS}?{ALL}&per_page=3&page=2")
    assert [t["id"] for t in last.json()] == [4, 5]
    assert "link" not in last.headers


def test_only_what_is_included_and_only_what_changed_since(ask):
    assert not {"requester", "stats", "description_text"} & ask(f"{TICKETS}?{ALL}").json()[0].keys()
    more = ask(f"{TICKETS}?{ALL}&include=requester,stats,description").json()[0]
    assert {"requester", "stats", "description_text"} <= more.keys()
    assert ask(f"{TICKETS}?updated_since=2026-01-01T00:00:03Z").json()[0]["id"] == 3


def test_refusals_and_limits(ask):
    refused = ask(TICKETS, key="falsch")
    assert (refused.status, refused.json()["code"]) == (401, "invalid_credentials")
    assert ask(f"{TICKETS}?page=301").status == 400
    assert ask(f"{TICKETS}/99/conversations").status == 404
    said = ask(f"{TICKETS}/1/conversations")
    assert [c["private"] for c in said.json()] == [False, True, False]
    assert said.headers["x-ratelimit-total"] == "200"

import pytest

from openflywheel.collect._fake.forum import post
from openflywheel.collect._fake.server import running
from openflywheel.collect._rows.api import bearer


@pytest.fixture
def ask(web):
    with running({"keys": ["geheim"]}) as far:

        def asked(path, key="geheim"):
            return web.get(f"{far.url}/forum{path}", headers=bearer(key))

        asked.desk = far.desk
        yield asked


def test_listings_are_newest_first_and_go_on_after_a_name(ask):
    ask.desk.memory["forum"] = [post(f"p{n}", 1_700_000_000.0 + n) for n in range(5)]
    first = ask("/r/shoes/new.json?limit=2").json()
    assert [c["data"]["id"] for c in first["data"]["children"]] == ["p4", "p3"]
    rest = ask(f"/r/shoes/new.json?limit=100&after={first['data']['after']}").json()
    assert [c["data"]["id"] for c in rest["data"]["children"]] == ["p2", "p1", "p0"]
    assert rest["data"]["after"] is None


def test_comments_are_two_listings(ask):
    about, said = ask("/comments/p1.json").json()
    assert about["data"]["children"][0]["kind"] == "t3"
    assert [c["kind"] for c in said["data"]["children"]] == ["t1"] * 5 + ["more"]


def test_limits_and_refusals(ask):
    left = [float(ask("/r/shoes/new.json").headers["x-ratelimit-remaining"]) for _ in range(2)]
    assert left[1] == left[0] - 1
    assert ask("/r/shoes/new.json", "falsch").status == 401
    assert ask("/comments/none.json").status == 404

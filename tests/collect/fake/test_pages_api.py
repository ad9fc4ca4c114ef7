import pytest

from openflywheel.collect._fake.server import running
from openflywheel.collect._rows.api import basic, bearer


@pytest.fixture
def ask(web):
    with running({"keys": ["geheim"]}) as far:

        def asked(path, headers=None):
            return web.get(
                f"{far.url}/pages-api/{path}", headers=bearer("geheim") if headers is None else headers
            )

        yield asked


def test_each_way_says_where_the_next_page_is(ask):
    assert ask("cursor").json()["meta"]["next_cursor"]
    assert 'rel="next"' in ask("link").headers["link"]
    assert 'rel="next"' not in ask("link?page=4").headers["link"]
    assert ask("url").json()["links"]["next"] == "?limit=2&from=2"
    assert ask("page?page=2").json()["results"][0]["id"] == 3
    assert ask("offset?offset=6").json()[0]["id"] == 7
    assert ask("offset?offset=7").json() == []


@pytest.mark.parametrize(
    ("path", "headers"),
    [("link", {"x-api-key": "geheim"}), ("link", basic("me", "geheim")), ("link?api_key=geheim", {})],
)
def test_keys_come_in_every_usual_way(ask, path, headers):
    assert ask(path, headers).status == 200


def test_refusals(ask):
    assert ask("link", {}).status == 401
    assert ask("link", {"authorization": "Basic !!"}).status == 401
    assert ask("nothing").status == 404
    assert ask("cursor?cursor=stale").status == 400
    assert [i["id"] for i in ask("link?since=7").json()] == [7]

from urllib.parse import urlencode

import pytest

from openflywheel.collect._fake.mediawiki import page
from openflywheel.collect._fake.server import running


@pytest.fixture
def ask(web):
    with running() as far:

        def asked(**query):
            return web.get(f"{far.url}/mediawiki/w/api.php?{urlencode(query)}")

        asked.desk = far.desk
        yield asked


def test_all_pages_go_on_where_they_are_told(ask):
    ask.desk.memory["mediawiki"] = [page(n) for n in range(1, 6)]
    seen, following = [], {}
    for _ in range(3):
        body = ask(generator="allpages", gaplimit=2, **following).json()
        seen += [p["pageid"] for p in body["query"]["pages"]]
        following = body.get("continue", {})
        assert body["batchcomplete"]
    assert (seen, following) == ([1, 2, 3, 4, 5], {})


def test_changes_begin_at_a_moment_and_include_it(ask):
    ask.desk.memory["mediawiki"] = [page(n, f"2026-01-0{n}T00:00:00Z") for n in (1, 2, 3)]
    body = ask(generator="recentchanges", grcstart="2026-01-02T00:00:00Z").json()
    assert [p["pageid"] for p in body["query"]["pages"]] == [2, 3]


def test_a_text_may_come_in_a_second_answer(ask):
    ask.desk.memory["mediawiki"] = [page(1, late=True), page(2)]
    first = ask(generator="allpages").json()
    assert "batchcomplete" not in first
    assert ["revisions" in p for p in first["query"]["pages"]] == [False, True]
    second = ask(generator="allpages", **first["continue"]).json()
    assert ["revisions" in p for p in second["query"]["pages"]] == [True, False]
    assert second["batchcomplete"]


def test_errors_have_status_200_and_a_header(ask):
    wrong = ask(generator="nothing")
    assert (wrong.status, wrong.headers["mediawiki-api-error"], wrong.json()["error"]["code"]) == (
        200,
        "badvalue",
        "badvalue",
    )
    ask.desk.memory["lag"] = 5
    assert ask(generator="allpages").json()["error"]["code"] == "maxlag"
    assert "query" in ask(generator="allpages").json()


def test_a_private_wiki_wants_a_token(ask):
    ask.desk.script = type(ask.desk.script)(keys=("geheim",))
    assert ask(generator="allpages").json()["error"]["code"] == "readapidenied"


def test_site_information(ask):
    said = ask(meta="siteinfo", siprop="rightsinfo|statistics").json()["query"]
    assert said["rightsinfo"]["text"] == "CC BY-SA 4.0"
    assert said["statistics"]["articles"] == 3

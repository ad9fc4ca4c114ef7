from urllib.parse import urlencode

import pytest

from openflywheel.collect._fake.confluence import page
from openflywheel.collect._fake.server import running
from openflywheel.collect._rows.api import basic, bearer

CONTENT = "/confluence/wiki/rest/api/content/search"


@pytest.fixture
def ask(web):
    with running({"keys": ["geheim"]}) as far:

        def asked(path, headers=None, **query):
            said = f"?{urlencode(query)}" if query else ""
            return web.get(f"{far.url}{path}{said}", headers=headers or bearer("geheim"))

        asked.desk = far.desk
        yield asked


def test_links_lead_from_page_to_page(ask):
    ask.desk.memory["confluence"] = [page(n) for n in range(1, 6)]
    body, seen = ask(CONTENT, cql="type=page order by lastmodified asc", limit=2).json(), []
    while True:
        seen += [int(p["id"]) for p in body["results"]]
        if "next" not in body["_links"]:
            break
        body = ask(body["_links"]["context"] + body["_links"]["next"]).json()
    assert seen == [1, 2, 3, 4, 5]


def test_what_is_expanded_and_what_is_searched_for(ask):
    ask.desk.memory["confluence"] = [page(1), page(2, "2026-05-01T00:00:00.000Z", space="OTHER")]
    [plain] = ask(CONTENT, cql='type=page and space="OTHER"').json()["results"]
    assert not {"body", "version"} & plain.keys()
    [newer] = ask(CONTENT, cql='type=page and lastmodified >= "2026/04/01 00:00"', expand="version").json()[
        "results"
    ]
    assert newer["id"] == "2"
    assert "version" in newer


def test_credentials(ask):
    assert ask(CONTENT, basic("me", "geheim"), cql="type=page").status == 200
    assert ask(CONTENT, bearer("falsch"), cql="type=page").status == 401
    assert ask(CONTENT, cql="nonsense").status == 400
    assert ask("/confluence/wiki/rest/api/search", cql="type=page").json()["totalSize"] == 3

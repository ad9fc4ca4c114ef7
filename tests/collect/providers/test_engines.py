"""SearXNG, Brave and Bright Data's SERP API behind one interface, over real HTTP."""

import pytest

from openflywheel.base.errors import SourceFailed
from openflywheel.collect._fake.server import Running
from openflywheel.collect._providers.brave import Brave
from openflywheel.collect._providers.brightdata.serp import Serp
from openflywheel.collect._providers.product import Search
from openflywheel.collect._providers.searxng import SearXNG
from openflywheel.collect._web.web import Web

QUERY = "dispose of old battery"


def engine(name: str, web: Web, far: Running, key: str = "k") -> Search:
    if name == "searxng":
        return SearXNG(web, far.url)
    return Brave(web, key, far.url) if name == "brave" else Serp(web, key, "serp_api1", far.url)


@pytest.mark.parametrize("name", ["searxng", "brave", "brightdata"])
def test_all_engines_find_the_same_pages_in_the_same_order(name: str, web: Web, far: Running) -> None:
    hits = engine(name, web, far).search(QUERY)
    assert hits[0].link == f"{far.url}/pages/battery-disposal"
    assert hits[0].title == "How to dispose of old batteries"
    assert hits[0].description.startswith("Old batteries do not belong")
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert engine(name, web, far).search("zzzz qqqq") == []


@pytest.mark.parametrize("name", ["searxng", "brightdata", "brave"])
def test_a_further_page_has_other_results(name: str, web: Web, far: Running) -> None:
    first = {hit.link for hit in engine(name, web, far).search("battery returns shipping warranty kettle")}
    second = {
        hit.link for hit in engine(name, web, far).search("battery returns shipping warranty kettle", 2)
    }
    assert first
    assert not first & second


@pytest.mark.parametrize("name", ["brave", "brightdata"])
def test_a_wrong_key_is_refused_and_not_told(name: str, web: Web, far: Running) -> None:
    far.script({"keys": ["right"]})
    engine(name, web, far, "right").check()
    with pytest.raises(SourceFailed) as raised:
        engine(name, web, far, "wrong-key").check()
    assert "wrong-key" not in str(raised.value)
    assert far.desk.dollars <= 0.005


def test_a_searxng_without_json_says_so(web: Web, far: Running) -> None:
    SearXNG(web, far.url).check()
    far.script({"rules": [{"path": "/search", "status": 403, "message": "Forbidden"}]})
    with pytest.raises(SourceFailed, match="searxng refuses us"):
        SearXNG(web, far.url).check()


def test_searxng_is_asked_for_the_engines_that_are_named(web: Web, far: Running) -> None:
    assert SearXNG(web, far.url, ("bing",)).search(QUERY)
    assert SearXNG(web, far.url, ("nosuch",)).search(QUERY) == []
    assert "engines=bing" in far.desk.asked[0].query


def test_brave_gets_no_more_words_than_it_takes_and_sends_no_marks(web: Web, far: Running) -> None:
    hits = Brave(web, "k", far.url).search("battery " * 500)
    assert hits
    assert "<strong>" not in hits[0].description


def test_braves_limit_of_a_second_is_waited_out(web: Web, far: Running) -> None:
    far.script({"per_second": 1})
    brave = Brave(web, "k", far.url)
    assert brave.search(QUERY) == brave.search(QUERY)
    assert far.desk.records == 2  # only answered queries are billed


def test_a_zone_that_does_not_parse_is_named(web: Web, far: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "openflywheel.collect._providers.brightdata.serp._address",
        lambda *_: "https://www.google.com/search?q=x",
    )
    with pytest.raises(SourceFailed, match=r"zone 'serp_api1' sent|answered something else"):
        Serp(web, "k", "serp_api1", far.url).search(QUERY)


def test_the_asynchronous_api_gives_the_same_later(web: Web, far: Running) -> None:
    serp = Serp(web, "k", "serp_api1", far.url)
    id = serp.order(QUERY)
    pending = 0
    while (found := serp.take(id)) is None:
        pending += 1
    assert pending == 3  # two looks, and one 202 when it is ready
    assert found == serp.search(QUERY)
    with pytest.raises(SourceFailed):
        serp.take("r_unknown")

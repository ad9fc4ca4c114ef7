"""Pages behind results: their sites' rules hold, and one bad page costs that page."""

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.collect._providers.reading import read_pages
from openflywheel.collect._site.page import Page
from openflywheel.collect._web.response import Response
from openflywheel.collect._web.web import Web

TEXT = "<title>T</title><main><p>" + "An old battery goes to the shop. " * 12 + "</p></main>"


def reasons(found: list[tuple[Response, Page] | Drop]) -> list[str]:
    return [thing.reason if isinstance(thing, Drop) else thing[1].title for thing in found]


def test_pages_come_in_the_order_of_their_urls(web: Web, site) -> None:
    urls = [site.page(f"/{n}", TEXT.replace("T<", f"{n}<")) for n in range(5)]
    assert reasons(list(read_pages(urls, web))) == ["0", "1", "2", "3", "4"]
    assert site.paths().count("/robots.txt") == 1
    assert list(read_pages([], web)) == []


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (TEXT, {"x_robots_tag": "noindex"}, "noindex"),
        (TEXT, {"tdm_reservation": "1"}, "tdm-reservation"),
        ("%PDF-1.7", {"content_type": "application/pdf"}, "content type not wanted"),
        ("<div id=root></div><script src=a.js></script>", {}, "needs a browser"),
        ("<title>empty</title>", {}, "no text"),
    ],
)
def test_what_is_not_taken_is_said(web: Web, site, body: str, headers: dict[str, str], reason: str) -> None:
    bad, good = site.page("/bad", body, **headers), site.page("/good", TEXT)
    assert reasons(list(read_pages([bad, good], web))) == [reason, "T"]


def test_robots_and_ai_txt_are_asked_first(web: Web, site) -> None:
    site.page("/robots.txt", "User-agent: *\nDisallow: /a", content_type="text/plain")
    site.page("/ai.txt", "User-Agent: *\nDisallow: /b", content_type="text/plain")
    urls = [site.page(path, TEXT) for path in ("/a", "/b", "/c")]
    assert reasons(list(read_pages(urls, web))) == ["refused by robots.txt", "ai.txt", "T"]
    assert "/a" not in site.paths()


def test_a_redirect_leads_nowhere_that_is_forbidden(web: Web, site) -> None:
    site.page("/robots.txt", "User-agent: *\nDisallow: /secret", content_type="text/plain")
    site.page("/secret", TEXT)
    urls = [
        site.page("/in", "", 302, location="/secret"),
        site.page("/out", "", 302, location="http://10.0.0.1/"),
    ]
    assert reasons(list(read_pages(urls, web))) == ["refused by robots.txt", "address not allowed"]
    assert "/secret" not in site.paths()


def test_dead_links_are_dropped(web: Web, site) -> None:
    gone = site.page("/gone", "x", 410)
    found = reasons(list(read_pages([gone, f"{site.url}/none", "http://192.168.0.1/"], web)))
    assert found[:2] == ["HTTP 410", "HTTP 404"]
    assert found[2] in ("address not allowed", "refused by robots.txt")

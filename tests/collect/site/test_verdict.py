"""Would a page be taken? Asked of real sites."""

import pytest

from openflywheel.base import door
from openflywheel.collect._site.verdict import verdict

PAGE = "<html><head>{}</head><body><p>Some words.</p></body></html>"
PASSES = "the rules let it pass: robots.txt and its site's reservations"


def test_a_page_that_nobody_forbids_passes(site, web):
    assert verdict(web, site.page("/a", PAGE.format(""))) == PASSES


def test_robots_txt_is_named_with_its_line(site, web):
    site.page("/robots.txt", "User-agent: *\nDisallow: /private", content_type="text/plain")
    said = verdict(web, site.page("/private/a", PAGE.format("")))
    assert said.startswith("not taken: robots.txt refuses it: ")
    assert "/private" in said
    assert "/private/a" not in site.paths()  # what may not be read is not read


@pytest.mark.parametrize(
    ("head", "headers", "reason"),
    [
        ('<meta name="robots" content="noindex">', {}, "noindex"),
        ("", {"X_Robots_Tag": "noindex"}, "noindex"),
        ("", {"tdm_reservation": "1"}, "tdm-reservation"),
    ],
)
def test_a_reservation_is_named(site, web, head, headers, reason):
    assert verdict(web, site.page("/a", PAGE.format(head), **headers)) == f"not taken: {reason}"


def test_what_is_no_page_is_named(site, web):
    assert verdict(web, site.url + "/nowhere") == "not taken: its site answers 404"
    picture = site.page("/a.png", b"\x89PNG\r\n", content_type="image/png")
    assert verdict(web, picture) == "not taken: it is image/png, and no page"
    assert verdict(web, "ftp://example.com/") == "not taken: 'ftp://example.com/' is no URL of the web"


def test_an_address_that_is_not_allowed_is_named(web):
    said = verdict(web, "http://169.254.169.254/latest/meta-data/")
    assert said == "not taken: robots.txt refuses it: robots.txt could not be read: address not allowed"


@pytest.mark.parametrize("name", ["scraper", "search", "discover"])
def test_sources_that_fetch_pages_explain_them(name, site, web):
    needed = {
        "scraper": {"url": site.url},
        "search": {"provider": "brave", "key": "k"},
        "discover": {"key": "k"},
    }
    handed = dict.fromkeys(door.HANDED_IN) | {"web": web}
    loaded = door.load("collect", name, {**needed[name], "basis": "consent"}, handed)
    assert door.beside(loaded, "explain")(site.page("/a", PAGE.format(""))) == PASSES

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.collect._scrape.walk import Came, Kept, Walk


def walk(web, *urls, most=10, follows=False, kept=None):
    return Walk(web, urls, most, kept or Kept({}, ""), follows=follows)


def test_each_page_comes_once_and_what_is_led_to_comes_after(site, web):
    for path in ("/", "/a", "/b"):
        site.page(path, f"<p>{path}")
    going = walk(web, site.url + "/", site.url + "/a", follows=True)
    came = []
    for page in going:
        came.append(page.response.url.removeprefix(site.url))
        assert list(going.lead([site.url + "/", site.url + "/b"])) == []
    assert came == ["/", "/a", "/b"]
    assert (going.reached, going.failed) == (3, None)


def test_traps_and_other_hosts_are_not_followed(site, web):
    going = walk(web, site.url + "/", follows=True)
    deep = site.url + "/a" * 30
    assert list(going.lead(["https://other.example/", deep, deep])) == [
        Drop("a link to another host"),
        Drop("URL too deep"),
    ]


def test_a_crawl_delay_beyond_reason_is_refused_and_a_short_one_kept(site, web):
    site.page("/robots.txt", "user-agent: *\ncrawl-delay: 0.01", content_type="text/plain")
    site.page("/", "<p>x")
    assert isinstance(next(iter(walk(web, site.url + "/"))), Came)
    site.page("/robots.txt", "user-agent: *\ncrawl-delay: 3600", content_type="text/plain")
    assert list(walk(web, site.url + "/")) == [Drop("Crawl-delay too long")]


@pytest.mark.parametrize("follows", [False, True])
def test_conditions_are_sent_only_where_no_links_are_needed(site, web, follows):
    site.page("/", "<p>x", etag='"1"', last_modified="Tue, 05 Mar 2024 10:00:00 GMT")
    kept = Kept({}, "")
    for _ in range(2):
        list(walk(web, site.url + "/", follows=follows, kept=kept))
    first, second = [h for path, h in site.asked if path == "/"]
    assert "if-none-match" not in first
    assert ("if-none-match" in second) == ("if-modified-since" in second) == (not follows)


def test_what_was_read_is_known_again_under_the_same_mark_alone(site, web):
    url, state = site.page("/", "<p>x"), {}
    renewed = [next(iter(walk(web, url, kept=Kept(state, mark)))).renewed for mark in ("a", "a", "b")]
    assert renewed == [True, False, True]

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect import MOST_STATE
from openflywheel.collect._streams import Stream
from openflywheel.collect.feeds import MOST_FEEDS, check, discover, feeds

GAP = Gap(topic="charging", why="novel", queries=("battery",))
ITEM = (
    "<item><title>T{0}</title><guid>g{0}</guid><link>/{0}</link><pubDate>{1}</pubDate>"
    "<description>text {0}</description></item>"
)


def rss(*numbers: int, head: str = "") -> str:
    items = "".join(ITEM.format(n, f"{1 + n % 28:02d} Mar 2024 {n // 28:02d}:00:00 GMT") for n in numbers)
    return (
        f"<?xml version='1.0'?><rss version='2.0'><channel><title>News</title>{head}{items}</channel></rss>"
    )


def key(person: str) -> str:
    return f"key of {person}"


@pytest.fixture
def collect(web: Any) -> Callable[..., list[Record | Drop]]:
    """Read feeds as the room does: with a state that it takes back as JSON."""
    kept: dict[str, Any] = {}

    def read(url: str | tuple[str, ...], **settings: Any) -> list[Record | Drop]:
        state = json.loads(json.dumps(kept))
        found = list(feeds(GAP, url=url, web=web, state=state, subject=key, **settings))
        kept.clear()
        kept.update(state)
        assert len(json.dumps(state)) < MOST_STATE
        return found

    return read


def texts(found: list[Record | Drop]) -> list[str]:
    return [thing.text.partition("\n")[0] if isinstance(thing, Record) else thing.reason for thing in found]


def test_a_post_becomes_a_record(collect: Any, site: Any) -> None:
    license = "<copyright>CC BY 4.0</copyright><language>en</language>"
    body = rss(3, head=license).replace("</guid>", "</guid><author>jo@example.com (Jo Doe)</author>")
    url = site.page("/feed", body, content_type="application/rss+xml")
    [record] = collect(url)
    assert isinstance(record, Record)
    assert record.text == "T3\n\ntext 3"
    assert (record.source, record.uri, record.license) == ("feeds", f"{site.url}/3", "CC-BY-4.0")
    assert record.meta == {"title": "T3", "published": "2024-03-04T00:00:00+00:00", "site": "News"}
    assert record.subject.startswith("key of ")
    assert "Jo" not in json.dumps(record.meta) + record.text
    assert (record.purposes, record.basis) == ((), "")


def test_only_what_is_new_comes_again(collect: Any, site: Any) -> None:
    url = site.page("/feed", rss(2, 1))
    assert texts(collect(url)) == ["T2", "T1"]
    assert texts(collect(url)) == []
    site.page("/feed", rss(4, 3, 2))
    assert texts(collect(url)) == ["T4", "T3"]
    site.page("/feed", rss(4, 3, 2).replace("text 3", "edited"))
    assert texts(collect(url)) == []  # no new date: for a feed this is the same post


def test_a_post_with_a_new_date_comes_again(collect: Any, site: Any) -> None:
    entry = "<entry><id>a</id><title>T</title><updated>{}</updated><content>c</content></entry>"
    feed = '<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title>{}</feed>'
    url = site.page("/feed", feed.format(entry.format("2024-03-05T10:00:00Z")))
    assert texts(collect(url)) == ["T"]
    site.page("/feed", feed.format(entry.format("2024-03-06T10:00:00Z")))
    assert texts(collect(url)) == ["T"]


def test_a_feed_that_has_not_changed_is_not_sent_again(collect: Any, site: Any) -> None:
    asked: list[dict[str, str]] = []

    def answer(headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        asked.append(headers)
        same = headers.get("if-none-match") == '"v1"'
        stamp = {"etag": '"v1"', "last-modified": "Tue, 05 Mar 2024 10:00:00 GMT"}
        return (304, stamp, b"") if same else (200, stamp, rss(1).encode())

    site.pages["/feed"] = answer
    url = f"{site.url}/feed"
    assert texts(collect(url)) == ["T1"]
    assert texts(collect(url)) == []
    assert "if-none-match" not in asked[0]
    assert asked[1]["if-modified-since"] == "Tue, 05 Mar 2024 10:00:00 GMT"
    assert len(asked) == 2


def test_what_is_left_over_comes_the_next_time(collect: Any, site: Any) -> None:
    url = site.page("/feed", rss(5, 4, 3, 2, 1), etag='"v"')
    assert texts(collect(url, most=2)) == ["T5", "T4"]
    assert texts(collect(url, most=2)) == ["T3", "T2"]
    assert texts(collect(url, most=2)) == ["T1"]
    assert all("if-none-match" not in headers for _, headers in site.asked)


@pytest.mark.slow
def test_a_feed_longer_than_the_memory_gives_each_post_once(collect: Any, site: Any) -> None:
    places = tuple(site.page(f"/{i}", rss(*range(60, 0, -1))) for i in range(MOST_FEEDS))
    assert len(collect(places, most=1_000)) == 60 * MOST_FEEDS
    assert collect(places, most=1_000) == []


def test_the_page_of_a_site_leads_to_its_feed_once(collect: Any, site: Any) -> None:
    site.page("/", "<link rel=alternate type=application/rss+xml href=/feed>Welcome")
    site.page("/feed", rss(1))
    assert texts(collect(f"{site.url}/")) == ["T1"]
    site.page("/feed", rss(2, 1))
    assert texts(collect(f"{site.url}/")) == ["T2"]
    assert site.paths() == ["/", "/feed", "/feed"]


def test_a_feed_that_moved_is_found_again(collect: Any, site: Any) -> None:
    site.page("/", "<link rel=alternate type=application/rss+xml href=/old>")
    site.page("/old", rss(1))
    collect(f"{site.url}/")
    del site.pages["/old"]
    site.page("/", "<link rel=alternate type=application/rss+xml href=/new>")
    site.page("/new", rss(2, 1))
    assert texts(collect(f"{site.url}/")) == ["T2"]


def test_a_feed_sent_as_html_is_a_feed(collect: Any, site: Any) -> None:
    assert texts(collect(site.page("/feed", "\n" + rss(1), content_type="text/html"))) == ["T1"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<p>no feed here", "neither RSS nor Atom"),
        ("<!DOCTYPE r [<!ENTITY a 'b'>]><rss>&a;</rss>", "XML with a DTD"),
        ("{}", "no JSON Feed"),
    ],
)
def test_what_is_no_feed_fails_and_says_why(collect: Any, site: Any, body: str, reason: str) -> None:
    url = site.page("/feed", body, content_type="text/xml")
    with pytest.raises(SourceFailed, match=reason):
        collect(url)


def test_one_of_several_feeds_may_fail(collect: Any, site: Any) -> None:
    url = (f"{site.url}/gone", site.page("/feed", rss(1)))
    assert texts(collect(url)) == ["feed: status 404", "T1"]
    with pytest.raises(SourceFailed, match="status 404"):
        collect((f"{site.url}/gone", f"{site.url}/gone2"))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({"tdm_reservation": "1"}, "tdm-reservation"), ({"content_signal": "ai-train=no"}, "ai-train")],
)
def test_a_feed_that_reserves_its_use_is_left_alone(
    collect: Any, site: Any, headers: Any, reason: str
) -> None:
    assert collect(site.page("/feed", rss(1), **headers)) == [Drop(reason)]


def test_noindex_is_for_search_engines_and_usual_for_feeds(collect: Any, site: Any) -> None:
    assert texts(collect(site.page("/feed", rss(1), x_robots_tag="noindex, follow"))) == ["T1"]


def test_the_license_of_the_link_header(collect: Any, site: Any) -> None:
    link = '<https://creativecommons.org/licenses/by-sa/4.0/>; rel="license"'
    [record] = collect(site.page("/feed", rss(1), link=link))
    assert record.license == "CC-BY-SA-4.0"


def test_a_post_without_text_is_a_drop(collect: Any, site: Any) -> None:
    body = "<rss version='2.0'><channel><title>N</title><item><guid>1</guid></item></channel></rss>"
    assert collect(site.page("/feed", body)) == [Drop("post without text")]


@pytest.mark.parametrize("url", ["ftp://h/", "not a url", "http://u:p@h/", (), ("http://h/", "x")])
def test_a_wrong_url_is_the_users_mistake(collect: Any, url: Any) -> None:
    with pytest.raises(SettingsError, match="feeds"):
        collect(url)


def test_too_many_feeds_are_the_users_mistake(collect: Any) -> None:
    with pytest.raises(SettingsError, match="81 URLs"):
        collect(tuple(f"http://h/{i}" for i in range(MOST_FEEDS + 1)))


def test_check_asks_once(web: Any, site: Any) -> None:
    check(url=site.page("/feed", rss(1)), web=web)
    check(url=site.page("/", "<link rel=alternate type=application/rss+xml href=/feed>"), web=web)
    assert site.paths() == ["/feed", "/"]
    for path in ("/none", "/page"):
        site.page("/page", "<p>no feed")
        with pytest.raises(SourceFailed):
            check(url=f"{site.url}{path}", web=web)


def test_discover_counts_the_posts(web: Any, site: Any) -> None:
    url = site.page("/feed", rss(3, 2, 1))
    found: Iterator[Stream] = discover(GAP, url=url, web=web)
    assert list(found) == [Stream(url, items=3, columns=("title", "published", "site"), note="News")]


def test_the_door_knows_its_settings() -> None:
    about = door.describe("collect", "feeds")
    assert [s.name for s in about.settings][:2] == ["url", "most"]
    assert set(about.handed) == {"web", "state", "subject"}
    given = {"url": ["http://a/", "http://b/"], "basis": "legitimate_interest"}
    assert door.check("collect", "feeds", given)["url"] == ("http://a/", "http://b/")

import asyncio
import time

import pytest

from openflywheel.collect._frontier.fetching import MOST_LISTED, Fetching
from openflywheel.collect._frontier.pace import AT_ONCE
from openflywheel.collect._frontier.plan import plan
from openflywheel.collect._frontier.rows import Job


@pytest.fixture
def fetching(web, site):
    def made(fetch=None, **settings):
        return Fetching(web, plan(start=site.url + "/", web=web, **settings), fetch)

    return made


def jobs(site, *paths, **more):
    return [Job(n, site.url + path, 1, 1, 0.0, **more) for n, path in enumerate(paths)]


def all_of(web, one, asked, want=1):
    outcomes = []
    while len(outcomes) < len(asked):
        outcomes += web.run(one.more(asked if not outcomes else (), want, 5.0))
    return sorted(outcomes, key=lambda outcome: outcome.job.id)


def test_each_job_has_an_outcome(web, site, fetching):
    site.page("/a", "<p>a")
    site.page("/private", "<p>no")
    site.page("/film", b"x", content_type="video/mp4")
    site.page("/robots.txt", "User-agent: *\nDisallow: /private\nCrawl-delay: 7", content_type="text/plain")
    found = all_of(web, fetching(), jobs(site, "/a", "/private", "/film", "/gone"))
    assert [(o.reason, o.response and o.response.status) for o in found] == [
        ("", 200),
        ("refused by robots.txt", None),
        ("content type not wanted", None),
        ("", 404),
    ]
    assert found[0].delay == 7
    assert found[0].robots is not None
    assert found[0].site is not None
    assert "/private" not in site.paths()


def test_what_is_known_is_asked_for_conditionally(web, site, fetching):
    site.page("/a", "<p>a")
    all_of(web, fetching(), jobs(site, "/a", etag='"1"', modified="Mon, 02 Nov 2026 10:00:00 GMT"))
    [(_, headers)] = [asked for asked in site.asked if asked[0] == "/a"]
    assert headers["if-none-match"] == '"1"'
    assert headers["if-modified-since"] == "Mon, 02 Nov 2026 10:00:00 GMT"


def test_so_many_are_in_flight_and_no_more(web, site, fetching):
    running, most = [0], [0]

    async def slow(url):
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.02)
        running[0] -= 1
        return await web.fetch(url)

    site.page("/a", "<p>a")
    assert len(all_of(web, fetching(slow), jobs(site, *["/a"] * 40), want=40)) == 40
    assert most[0] == AT_ONCE


def test_it_returns_when_enough_are_done_or_time_is_up(web, site, fetching):
    async def uneven(url):
        await asyncio.sleep(10 if url.endswith("/slow") else 0)
        return await web.fetch(url)

    site.page("/fast", "<p>a")
    one = fetching(uneven)
    began = time.monotonic()
    assert len(web.run(one.more(jobs(site, "/fast", "/slow"), 1, 5.0))) == 1
    assert web.run(one.more((), 1, 0.05)) == []
    assert time.monotonic() - began < 5
    web.run(one.stop())
    assert web.run(one.more((), 1, 5.0)) == []


def test_the_disobedient_ask_for_no_robots(web, site, fetching):
    site.page("/a", "<p>a")
    [found] = all_of(web, fetching(obey=False), jobs(site, "/a"))
    assert found.response.status == 200
    assert site.paths() == ["/a"]


def test_a_sitemap_nobody_named_may_be_missing_and_one_that_is_named_may_not(web, site, fetching):
    assert web.run(fetching().listed(site.url + "/")) == []
    site.page("/robots.txt", f"Sitemap: {site.url}/nowhere.xml", content_type="text/plain")
    [drop] = web.run(fetching().listed(site.url + "/"))
    assert drop.reason == "sitemap: status 404"


def test_of_many_listed_urls_so_many_are_taken(web, site, fetching):
    lines = "\n".join(f"{site.url}/{n}" for n in range(MOST_LISTED // 2 + 10))
    site.page("/a.txt", lines, content_type="text/plain")
    site.page("/b.txt", lines.replace(site.url + "/", site.url + "/b"), content_type="text/plain")
    said = f"Sitemap: {site.url}/a.txt\nSitemap: {site.url}/b.txt"
    site.page("/robots.txt", said, content_type="text/plain")
    assert len(web.run(fetching().listed(site.url + "/"))) == MOST_LISTED

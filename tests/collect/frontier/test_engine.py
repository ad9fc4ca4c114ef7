"""The engine against a real server; `site` and `web` come from tests/collect/conftest.py."""

import asyncio
import threading
import time
from collections import Counter
from contextlib import closing

import pytest

from openflywheel.base.errors import SourceFailed
from openflywheel.base.nouns import Drop, Record
from openflywheel.base.settings import WebSettings
from openflywheel.collect._frontier.engine import crawl_site, frontier_of
from openflywheel.collect._frontier.frontier import Frontier
from openflywheel.collect._frontier.plan import plan
from openflywheel.collect._frontier.tables import FETCHED, QUEUED
from openflywheel.collect._value.aim import BreadthFirst
from openflywheel.collect._web.web import Web

WORDS = "Words enough that this page counts as one that says something of its own about {}. "


def html(about, *links, head=""):
    anchors = "".join(f'<li><a href="{link}">to {link}</a>' for link in links)
    return f"<html><head><title>{about}</title>{head}</head><body><p>{WORDS.format(about) * 4}</p>{anchors}"


def make(response, page):
    return Record(text=page.text, source="test", uri=page.url, meta={"title": page.title})


class Crawl:
    """Crawls of one site; every call begins as a new passage does, with the state that was kept."""

    def __init__(self, web, site, folder):
        self.web, self.site, self.folder, self.state = web, site, folder, {}
        self.progress = []

    def __call__(
        self, path="/", *, web=None, keep=True, aim=None, aimed="", fetch=None, make=make, **settings
    ):
        state = dict(self.state)
        starts = tuple(self.site.url + p for p in ((path,) if isinstance(path, str) else path))
        self.plan = plan(start=starts, web=web or self.web, **{"sitemaps": False, **settings})
        found = list(
            crawl_site(
                self.plan, web=web or self.web, workspace=self.folder, state=state, make=make,
                aim=aim or BreadthFirst(), aimed=aimed, fetch=fetch, progress=self.progress.append,
            )
        )  # fmt: skip
        self.stopped = state["stopped"]
        if keep:
            self.state = state
        self.drops = Counter(f.reason for f in found if isinstance(f, Drop))
        return [f.uri.removeprefix(self.site.url) for f in found if isinstance(f, Record)]

    def asked(self):
        """Pages that the server was asked for since the last time."""
        paths = [p for p in self.site.paths() if not p.endswith((".txt", ".json"))]
        self.site.asked.clear()
        return paths

    def frontier(self):
        return closing(Frontier(frontier_of(self.plan, self.folder)))


@pytest.fixture
def crawl(web, site, tmp_path):
    return Crawl(web, site, tmp_path)


def chain(site, n):
    for k in range(n):
        site.page(f"/{k or ''}", html(f"page {'x' * k}", f"/{k + 1}"))


# What is found


def test_a_site_is_crawled_from_its_start_nearest_first(crawl, site):
    site.page("/", html("start", "/a", "/b"))
    site.page("/a", html("a", "/deep"))
    site.page("/b", html("b", "/", "/a"))
    site.page("/deep", html("deep"))
    found = crawl()
    assert (found[0], set(found[1:3]), found[3]) == ("/", {"/a", "/b"}, "/deep")
    assert crawl.drops == {}
    assert crawl.stopped == "nothing left"
    assert Counter(crawl.asked()) == dict.fromkeys(("/", "/a", "/b", "/deep"), 1)
    assert crawl.progress[-1]["done"] == 4
    assert crawl.progress[-1]["queued"] == 0


def test_who_asks_says_its_name_and_how_to_reach_it(crawl, site):
    site.page("/", html("start"))
    crawl()
    assert {headers["user-agent"] for _, headers in site.asked} == {"openflywheel/0.1 (+test@example.com)"}


def test_a_charset_is_believed(crawl, site):
    site.page("/", html("déjà vu").encode("latin-1"), content_type="text/html; charset=iso-8859-1")
    seen = []
    crawl(make=lambda response, page: seen.append(page.title) or make(response, page))
    assert seen == ["déjà vu"]


def test_only_the_starts_host_is_crawled_unless_the_scope_says_so(crawl, site):
    site.page("/", html("start", "http://localhost:1/x", "http://elsewhere.example/"))
    assert crawl() == ["/"]
    assert crawl.drops == {}
    assert len(crawl.asked()) == 1


def test_patterns_choose_what_is_fetched_and_a_start_may_only_lead(crawl, site):
    site.page("/", html("start", "/docs/a", "/docs/old/b", "/blog/c"))
    for path in ("/docs/a", "/docs/old/b", "/blog/c"):
        site.page(path, html(path))
    assert crawl(include=("/docs/*",), exclude=("*/old/*",)) == ["/docs/a"]
    assert crawl.drops == {"not included by a pattern": 2, "excluded by a pattern": 1}
    assert set(crawl.asked()) == {"/", "/docs/a"}


def test_depth_and_page_bounds_hold_and_a_later_call_goes_on(crawl, site):
    chain(site, 9)
    assert crawl(depth=3) == ["/", "/1", "/2", "/3"]
    site.asked.clear()
    crawl.folder = crawl.folder / "other"
    crawl.state = {}
    assert crawl(pages=2) == ["/", "/1"]
    assert crawl.stopped == "pages"
    assert crawl(pages=3) == ["/2", "/3", "/4"]
    assert crawl.asked() == ["/", "/1", "/2", "/3", "/4"]


def test_bytes_and_seconds_end_a_call(crawl, site):
    chain(site, 9)
    assert crawl(bytes=1) == ["/"]
    assert crawl.stopped == "bytes"
    assert crawl(seconds=0) == []
    assert crawl.stopped == "seconds"


# What is dropped


def test_everything_that_is_not_taken_has_a_reason_and_is_counted_once(crawl, site):
    site.page(
        "/",
        html("start", "/gone", "/near/", "/near", "/pdf", "/private/x", "/empty", "/a//a//a//a//a"),
    )
    site.page("/near/", html("near", "/same"))
    site.page("/same", html("near", "/same"))
    site.page("/pdf", b"%PDF-1.7", content_type="application/pdf")
    site.page("/empty", "<html></html>")
    site.page("/robots.txt", "User-agent: *\nDisallow: /private/", content_type="text/plain")
    assert crawl() == ["/", "/near/"]
    first = crawl.drops
    assert first == {
        "HTTP 404": 1,
        "near duplicate of another URL": 1,
        "same content as another page": 1,
        "content type not wanted": 1,
        "refused by robots.txt": 1,
        "no text": 1,
        "path repeats itself": 1,
    }
    assert crawl() == []
    assert crawl.drops == {}
    assert "/private/x" not in crawl.asked()


def test_unwanted_bodies_are_not_read(crawl, site):
    sent = []

    def film(headers):
        sent.append(headers)
        return 200, {"content-type": "video/mp4"}, b"x" * 30_000_000

    site.pages["/film"] = film
    site.page("/", html("start", "/film"))
    assert crawl() == ["/"]
    assert crawl.drops == {"content type not wanted": 1}
    assert len(sent) == 1


def test_media_are_kept_as_parts_only_when_wanted(crawl, site):
    site.page("/", html("start", "/paper"))
    site.page("/paper", b"%PDF-1.7 about nothing", content_type="application/pdf")
    assert crawl(media=True) == ["/", "/paper"]


@pytest.mark.parametrize(
    ("head", "headers", "reason"),
    [
        ('<meta name="robots" content="noindex">', {}, "noindex"),
        ("", {"x_robots_tag": "noindex"}, "noindex"),
        ('<meta name="robots" content="noai">', {}, "noai"),
        ('<meta name="tdm-reservation" content="1">', {}, "tdm-reservation"),
        ("", {"tdm_reservation": "1"}, "tdm-reservation"),
    ],
)
def test_who_opts_out_is_not_taken_but_leads_on(crawl, site, head, headers, reason):
    site.page("/", html("start", "/a", head=head), **headers)
    site.page("/a", html("a"))
    assert crawl() == ["/a"]
    assert crawl.drops == {reason: 1}
    crawl.folder, crawl.state = crawl.folder / "disobedient", {}
    assert crawl(obey=False) == ["/", "/a"]


def test_nofollow_is_obeyed_on_links_pages_and_headers(crawl, site):
    site.page("/", html("start", "/page", "/header") + '<a rel="nofollow" href="/link">x</a>')
    site.page("/page", html("page", "/x", head='<meta name="robots" content="nofollow">'))
    site.page("/header", html("header", "/y"), x_robots_tag="nofollow")
    assert sorted(crawl()) == ["/", "/header", "/page"]
    assert sorted(crawl.asked()) == ["/", "/header", "/page"]


def test_what_is_noindex_does_not_shadow_a_page_of_the_same_content(crawl, site):
    site.page("/", html("start", "/print", "/page"))
    site.page("/print", html("text"), x_robots_tag="noindex")
    site.page("/page", html("text"))
    assert crawl() == ["/", "/page"]


# Redirects


def test_a_redirect_counts_as_its_target(crawl, site):
    site.page("/", html("start", "/moved", "/here", "/also"))
    site.page("/moved", b"", 301, location="/here")
    site.page("/also", b"", 302, location="/here")
    site.page("/here", html("here"))
    assert crawl() == ["/", "/here"]
    assert crawl.drops == {"redirected": 2}
    assert crawl() == []


def test_redirects_are_judged_like_links(crawl, site):
    site.page("/robots.txt", "User-agent: *\nDisallow: /private", content_type="text/plain")
    site.page("/", html("start", "/out", "/in", "/ssrf", "/loop"))
    site.page("/out", b"", 302, location="http://example.com/")
    site.page("/in", b"", 302, location="/private")
    site.page("/ssrf", b"", 302, location="http://169.254.169.254/latest/meta-data/")
    site.page("/loop", b"", 302, location="/loop")
    assert crawl() == ["/"]
    assert crawl.drops == {
        "outside the scope": 1,
        "refused by robots.txt": 1,
        "address not allowed": 1,
        "redirect loop": 1,
    }
    assert "/private" not in crawl.asked()


# Poison and traps


def test_a_poisoned_page_is_a_drop_and_the_crawl_goes_on(crawl, site):
    site.page("/", html("start", "/1", "/2", "/3"))
    for n in (1, 2, 3):
        site.page(f"/{n}", html(f"page {n}"))

    def poisoned(response, page):
        if page.url.endswith("/2"):
            raise RuntimeError("poison")
        return make(response, page)

    assert sorted(crawl(make=poisoned)) == ["/", "/1", "/3"]
    assert crawl.drops == {"page could not be read": 1}


class Poisonous(BreadthFirst):
    def learn(self, url, text):
        if url.endswith("/1"):
            raise ZeroDivisionError
        return 0.0


def test_a_poisoned_aim_drops_its_page_alone(crawl, site):
    chain(site, 3)
    assert crawl(aim=Poisonous()) == ["/", "/2"]
    assert crawl.drops["page could not be read"] == 1


def test_a_full_disk_ends_the_crawl_and_costs_no_page(crawl, site):
    chain(site, 3)

    def full(response, page):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        crawl(make=full)
    assert crawl() == ["/", "/1", "/2"]


class Stumbling(BreadthFirst):
    def rate(self, links, page, depth):
        if page is None:
            raise ZeroDivisionError
        return super().rate(links, page, depth)


def test_a_sitemap_that_the_aim_stumbles_over_is_a_drop(crawl, site):
    site.page("/", html("start", "/a"))
    site.page("/a", html("a"))
    site.page("/sitemap.xml", f"<urlset><url><loc>{site.url}/b</loc></url></urlset>", content_type="text/xml")
    assert crawl(aim=Stumbling(), sitemaps=True) == ["/", "/a"]
    assert crawl.drops == {"sitemap: could not be rated": 1}


def test_what_cannot_be_rated_anew_keeps_its_value(crawl, site):
    site.page("/", html("start", "/a"))
    site.page("/a", html("a"))
    assert crawl(pages=1) == ["/"]
    assert crawl(aim=Stumbling(), aimed="other") == ["/a"]


def test_a_calendar_without_end_is_left(crawl, site):
    def month(path):
        n = int(path.rpartition("/")[2])
        days = " ".join(map(str, range(1, 29 + n % 3)))
        return html(f"Month {n}", f"/cal/{n + 1}").replace("</p>", f"</p><p>{days} no events</p>")

    class Endless(dict):
        def get(self, path, default):
            return (200, {}, month(path).encode()) if path.startswith("/cal/") else super().get(path, default)

    site.pages = Endless(site.pages)
    site.page("/", html("start", "/cal/1", "/docs/1"))
    for n in range(1, 40):
        site.page(f"/docs/{n}", html(f"chapter {'of many words ' * n}", f"/docs/{n + 1}"))
    found = crawl(pages=500, depth=1_000)
    assert sum(p.startswith("/docs/") for p in found) == 39
    assert 10 < sum(p.startswith("/cal/") for p in found) < 30
    assert crawl.stopped == "nothing left"
    assert crawl() == []


def test_pages_that_are_all_the_same_lead_nowhere(crawl, site):
    class Same(dict):
        def get(self, path, default):
            link = f'<a href="{path.rstrip("/")}/a">next</a>'
            return (200, {}, (html("nothing here") + link).encode())

    site.pages = Same()
    assert len(crawl(pages=50)) == 1
    assert crawl.drops["same content as another page"] == 1


# Hosts that refuse


def test_a_host_that_refuses_is_left_alone_and_nothing_is_lost(crawl, site):
    chain(site, 3)
    answers = iter([(503, {"retry-after": "3600"}, b"")] * 1)
    good = site.pages["/1"]
    site.pages["/1"] = lambda headers: next(answers, good)
    assert crawl() == ["/"]
    assert crawl.stopped == "hosts refuse, and are left alone"
    assert crawl() == []
    assert crawl.asked() == ["/", "/1"]
    with crawl.frontier() as frontier:
        assert frontier.count(QUEUED) == 1
        frontier._tables.write("UPDATE hosts SET due = 0")
    assert crawl() == ["/1", "/2"]


def test_a_site_that_does_not_answer_at_all_is_a_failed_source(crawl, site):
    site.page("/robots.txt", b"", 503, retry_after="3600")
    with pytest.raises(SourceFailed, match="robots.txt cannot be read.*--explain"):
        crawl()
    assert crawl.asked() == []


def test_a_url_that_never_answers_is_dropped_in_the_end(crawl, site):
    chain(site, 1)
    site.page("/1", b"", 429, retry_after="3600")
    reasons = []
    for _ in range(4):
        crawl()
        reasons.append(dict(crawl.drops))
        with crawl.frontier() as frontier:
            frontier._tables.write("UPDATE hosts SET due = 0")
    assert reasons == [{}, {}, {"HTTP 429": 1}, {}]


# Politeness


def test_strangers_are_asked_one_at_a_time_and_ones_own_at_once(crawl, site):
    running, most, lock = [0], [0], threading.Lock()

    def slow(headers):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.05)
        with lock:
            running[0] -= 1
        return 200, {}, html(str(time.monotonic())).encode()

    site.page("/", html("start", *(f"/p{n}" for n in range(24))))
    for n in range(24):
        site.pages[f"/p{n}"] = slow
    crawl()
    assert 4 < most[0] <= 16

    site.page("/robots.txt", "User-agent: *\nCrawl-delay: 0.05", content_type="text/plain")
    crawl.folder, crawl.state, most[0] = crawl.folder / "delayed", {}, 0
    began = time.monotonic()
    assert len(crawl(pages=6)) == 6
    assert most[0] == 1
    assert time.monotonic() - began >= 5 * 0.05


# What is delivered, and what comes again


def test_what_the_store_did_not_keep_is_given_again_and_not_fetched_again(crawl, site):
    chain(site, 5)
    assert crawl(pages=3, keep=False) == ["/", "/1", "/2"]
    crawl.asked()
    assert crawl(pages=2) == ["/", "/1", "/2", "/3", "/4"]
    assert crawl.asked() == ["/3", "/4"]
    assert crawl() == []
    with crawl.frontier() as frontier:
        assert list(frontier.pages.undelivered(0)) == []


def test_two_gaps_of_one_passage_forget_nothing_before_it_is_kept(crawl, site):
    chain(site, 5)
    kept, crawl.state = {}, {}
    passage = dict(kept)
    settings = {"web": crawl.web, "workspace": crawl.folder, "state": passage, "make": make}
    wanted = plan(start=site.url + "/", web=crawl.web, pages=2, sitemaps=False)
    first = list(crawl_site(wanted, **settings))
    second = list(crawl_site(wanted, **settings))
    assert [r.uri[-1] for r in first + second] == ["/", "1", "2", "3"]
    crawl.state = kept  # the passage failed
    assert crawl(pages=0) == ["/", "/1", "/2", "/3"]


def test_a_crawl_that_nobody_reads_to_its_end_loses_nothing(crawl, site):
    chain(site, 6)
    state = {}
    wanted = plan(start=site.url + "/", web=crawl.web, sitemaps=False)
    going = crawl_site(wanted, web=crawl.web, workspace=crawl.folder, state=state, make=make)
    assert next(going).uri == site.url + "/"
    going.close()
    crawl.state = state
    assert crawl() == ["/1", "/2", "/3", "/4", "/5"]


def test_old_pages_are_asked_whether_they_changed(crawl, site):
    site.page("/", html("start", "/tag", "/date", "/plain", "/gone"), etag='"1"')
    site.pages["/"] = unless_same(site.pages["/"], "if-none-match", '"1"')
    site.page("/tag", html("tag"), etag='W/"2"')
    site.pages["/tag"] = unless_same(site.pages["/tag"], "if-none-match", 'W/"2"')
    site.page("/date", html("date"), last_modified="Mon, 02 Nov 2026 10:00:00 GMT")
    site.pages["/date"] = unless_same(
        site.pages["/date"], "if-modified-since", "Mon, 02 Nov 2026 10:00:00 GMT"
    )
    site.page("/plain", html("plain"))
    site.page("/gone", html("gone"))
    assert len(crawl()) == 5
    crawl.asked()
    assert crawl() == []
    assert crawl.asked() == []  # all are fresh
    site.page("/plain", html("plain, but other"))
    del site.pages["/gone"]
    assert crawl(refresh=0) == ["/plain"]
    assert crawl.drops == {"HTTP 404": 1}
    assert len(crawl.asked()) == 5
    assert crawl.progress[-1]["done"] == 1  # 304 and what did not change is no page


def unless_same(answer, header, value):
    return lambda headers: (304, {}, b"") if headers.get(header) == value else answer


# Aims


class Wanting(BreadthFirst):
    """Wants URLs with a word in them."""

    def __init__(self, word):
        self.word, self.learned, self.restored = word, [], None

    def rate(self, links, page, depth):
        return [float(self.word in link.url or self.word in link.text) for link in links]

    def learn(self, url, text):
        self.learned.append(url)
        return 1.0

    def enough(self, best):
        return "nothing worth it is left" if best < 0.5 else ""

    def state(self):
        return {"learned": len(self.learned)}

    def restore(self, state):
        self.restored = state


def test_an_aim_orders_the_crawl_ends_it_and_is_remembered(crawl, site):
    site.page("/", html("start", *(f"/x{n}" for n in range(20)), "/good"))
    site.page("/good", html("good", "/good/better", "/y"))
    site.page("/good/better", html("better"))
    for n in range(20):
        site.page(f"/x{n}", html(f"x{n}"))
    aim = Wanting("good")
    found = crawl(aim=aim, aimed="good things")
    assert found[0] == "/"
    assert {"/good", "/good/better"} <= set(found)
    assert len(found) < 15
    assert crawl.stopped == "nothing worth it is left"
    assert aim.restored is None
    again = Wanting("good")
    assert crawl(aim=again, aimed="good things") == []
    assert again.restored == {"learned": len(aim.learned)}


def test_another_aim_rates_what_waits_anew(crawl, site):
    site.page("/", html("start", "/red", "/blue"))
    site.page("/red", html("red"))
    site.page("/blue", html("blue"))
    assert crawl(aim=Wanting("nothing"), aimed="a", pages=1) == ["/"]
    assert crawl(aim=Wanting("blue"), aimed="b", pages=1) == ["/blue"]
    assert crawl(aim=Wanting("red"), aimed="c", pages=1) == ["/red"]


def test_a_better_word_for_a_known_url_moves_it_up(crawl, site):
    site.page("/", html("start", "/wanted", "/z", *(f"/f{n}" for n in range(60))))
    site.page("/z", html("z") + '<a href="/f59">treasure</a>')
    for n in range(60):
        site.page(f"/f{n}", html(f"f{n}"))
    site.page("/wanted", html("wanted") + '<a href="/f59">treasure</a>')

    class Treasure(Wanting):
        def rate(self, links, page, depth):
            return [5.0 if "wanted" in link.url else float("treasure" in link.text) for link in links]

        def enough(self, best):
            return ""

    found = crawl(aim=Treasure("treasure"), aimed="t")
    assert found.index("/f59") < 40


# Other ways to fetch


def test_another_way_of_fetching_can_be_handed_in(crawl, site):
    chain(site, 2)
    asked = []

    async def rendered(url):
        asked.append(url)
        await asyncio.sleep(0)
        return await crawl.web.fetch(url)

    assert crawl(fetch=rendered) == ["/", "/1"]
    assert len(asked) == 3


def test_a_fetch_that_breaks_is_a_drop(crawl, site):
    chain(site, 2)

    async def broken(url):
        if url.endswith("/1"):
            raise RuntimeError("the browser died")
        return await crawl.web.fetch(url)

    assert crawl(fetch=broken) == ["/"]
    assert crawl.drops == {"could not be fetched": 1}


def test_a_stranger_is_asked_after_its_delay(crawl, site, tmp_path):
    chain(site, 3)
    web = Web(WebSettings(allow=("127.0.0.1",), contact="test@example.com", delay=5.0))
    began = time.monotonic()
    assert len(crawl(web=web)) == 3  # one's own host: no delay
    assert time.monotonic() - began < 5
    web.close()
    with crawl.frontier() as frontier:
        assert frontier.count(FETCHED) == 3

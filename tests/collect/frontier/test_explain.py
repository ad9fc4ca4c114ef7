import pytest

from openflywheel.base.nouns import Record
from openflywheel.collect._frontier.engine import crawl_site, frontier_of
from openflywheel.collect._frontier.explain import explain_url, looked_at
from openflywheel.collect._frontier.frontier import Frontier
from openflywheel.collect._frontier.plan import plan

TEXT = "<p>Words enough that this page counts as one that says something about {}."


def page(site, path, about, links="", **headers):
    site.page(path, f"<html><body>{TEXT.format(about)}{links}", **headers)


@pytest.fixture
def asking(site, web, tmp_path):
    site.page("/robots.txt", "User-agent: *\nDisallow: /private", content_type="text/plain")

    class Asking:
        def __call__(self, path, **settings):
            self.wanted = plan(start=site.url + "/", web=web, **settings)
            return explain_url(
                path if "://" in path else site.url + path,
                self.wanted,
                web,
                frontier_of(self.wanted, tmp_path),
            ).replace(site.url, "")

        def crawl(self, **settings):
            wanted = plan(start=site.url + "/", web=web, **settings)
            made = crawl_site(
                wanted, web=web, workspace=tmp_path, state={},
                make=lambda response, page: Record(text=page.text, source="t", uri=page.url),
            )  # fmt: skip
            return list(made)

        def streams(self, **settings):
            wanted = plan(start=site.url + "/", web=web, **settings)
            return list(looked_at(wanted, web, tmp_path))

    return Asking()


def test_what_was_crawled_is_explained_by_its_frontier(asking, site):
    page(
        site,
        "/",
        "the start",
        '<a href="/a"><a href="/a/"><a href="/gone"><a href="/same"><a href="/private">',
    )
    page(site, "/a", "a", '<a href="/twin">', x_robots_tag="noai")
    page(site, "/same", "the same", '<a href="/twin">')
    page(site, "/twin", "the same", '<a href="/twin">')
    asking.crawl()
    assert asking("/").startswith("taken on 20")
    assert asking("/").endswith("; depth 0, a start, or listed in a sitemap")
    assert asking("/a") == "read for its links alone: noai; depth 1, found on /"
    assert asking("/a/") == "not taken: near duplicate of another URL (/a); depth 1, found on /"
    assert asking("/gone") == "not taken: HTTP 404; depth 1, found on /"
    assert asking("/twin").startswith("not taken: same content as another page (/same); depth 2")
    assert asking("/private") == "not taken: refused by robots.txt; depth 1, found on /"


def test_what_waits_says_behind_how_many(asking, site):
    page(site, "/", "the start", '<a href="/a"><a href="/b">')
    asking.crawl(pages=1)
    assert asking("/b").startswith("not taken yet: 0 of a higher value wait before it, its own is -1;")


def test_a_url_that_nobody_met_is_explained_by_the_rules(asking, site):
    assert asking("/new") == "not taken: no page that was read leads to it; the rules would let it pass"
    assert asking("/private/x") == "not taken: robots.txt refuses it: line 2: disallow: /private"
    assert asking("/docs/x", exclude=("/docs/*",)) == "not taken: excluded by a pattern"
    assert asking("https://example.org/") == "not taken: outside the scope"
    assert asking("ftp://example.org/").startswith("not taken: 'ftp://example.org/' is no URL")
    assert "address not allowed" in asking("http://169.254.169.254/latest", scope="any")
    assert site.paths().count("/new") == 0


def test_a_near_duplicate_of_what_is_known_and_an_endless_pattern_are_named(asking, site, tmp_path):
    page(site, "/", "the start", '<a href="/a">')
    page(site, "/a", "a")
    asking.crawl()
    assert asking("/a/index.html").startswith("not taken: near duplicate of /a, which was taken on")
    frontier = Frontier(frontier_of(asking.wanted, tmp_path))
    frontier.facts.close_pattern(f"{site.url}/cal/#")
    frontier.close()
    assert asking("/cal/7") == "not taken: endless pages of one pattern (/cal/#)"


def test_a_site_is_told_from_its_sitemap_and_then_from_its_frontier(asking, site):
    page(site, "/", "the start", '<a href="/a"><a href="/b">')
    [stream] = asking.streams()
    assert (stream.items, stream.note) == (None, "no sitemap: what it links to is not known yet")
    listed = "".join(f"<url><loc>{site.url}/{n}</loc></url>" for n in range(7))
    site.page("/sitemap.xml", f"<urlset>{listed}</urlset>", content_type="text/xml")
    [stream] = asking.streams(pages=5)
    assert (stream.items, stream.note) == (5, "7 in its sitemaps")
    asking.crawl(pages=1)
    [stream] = asking.streams()
    assert (stream.items, stream.note) == (9, "9 queued, 1 fetched")

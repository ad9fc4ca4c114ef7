import asyncio

import pytest

from openflywheel.collect._browser import fetching
from openflywheel.collect._browser.fetching import Rendered
from openflywheel.collect._browser.tally import Tally
from openflywheel.collect._web.web import FetchFailed

MENU = "entry of a menu that stands on every page, " * 8
SHELL = f'<p>{MENU}</p><div id=out></div><script src="/write.js"></script>'
WRITE = "document.getElementById('out').append(('what stands at ' + location.pathname + ' ').repeat(9))"


@pytest.fixture
def fetch(web, chromium):
    """Fetches a path of a site with one memory of its sections."""
    tally = Tally({})
    ours = Rendered(web, chromium, tally, obey=True)

    def run(url):
        return web.run(ours.fetch(url))

    run.tally, run.ours = tally, ours
    return run


def test_pages_that_repeat_each_other_are_found_to_need_a_browser(site, fetch):
    site.page("/write.js", WRITE, content_type="text/javascript")
    urls = [site.page(f"/s/{n}", SHELL) for n in range(3)]
    first, *others = [fetch(url).text for url in urls]
    assert "what stands" not in first
    assert all(f"what stands at /s/{n}" in text for n, text in enumerate(others, start=1))
    assert site.paths().count("/write.js") == 1


def test_a_rendered_page_is_utf_8_under_its_own_url_and_headers(site, fetch):
    body = '<meta charset=latin-1><div id="root">\xe9</div><script src="/write.js"></script>'.encode(
        "latin-1"
    )
    site.page("/write.js", "root.append('\u20ac'.repeat(60))", content_type="text/javascript; charset=utf-8")
    url = site.page("/a", body, content_type="text/html; charset=latin-1", x_robots_tag="noai")
    response = fetch(url)
    assert "\xe9" + "\u20ac" * 60 in response.text
    assert (response.url, response.headers["x-robots-tag"]) == (url, "noai")


def test_other_types_are_refused_and_failures_passed_on_without_a_browser(site, fetch, chromium):
    with pytest.raises(FetchFailed, match="content type not wanted"):
        fetch(site.page("/x.pdf", b"%PDF", content_type="application/pdf"))
    assert fetch(site.url + "/none").status == 404
    assert chromium.started == 0


def test_a_redirect_that_robots_txt_refuses_is_not_followed(site, fetch):
    site.page("/robots.txt", "user-agent: *\ndisallow: /secret", content_type="text/plain")
    site.page("/secret", "no")
    with pytest.raises(FetchFailed, match=r"refused by robots\.txt"):
        fetch(site.page("/", "", 302, location="/secret"))
    assert "/secret" not in site.paths()


def test_while_it_is_unsure_pages_wait_for_what_the_first_ones_bring(site, web, fetch):
    urls = [site.page(f"/e/{n}", f"<div id=root></div><p>{n}</p><script>1</script>") for n in range(9)]

    async def together():
        await asyncio.gather(*(fetch.ours.fetch(url) for url in urls))

    web.run(together())
    assert (fetch.tally.rendered, fetch.tally.needless) == (2, 2)


def test_scripts_are_kept_within_a_bound(site, web, fetch, monkeypatch):
    monkeypatch.setattr(fetching, "SHARED", 250)
    for n in range(4):
        site.page(f"/{n}.js", "x" * 100, content_type="text/javascript")
    for n in (0, 1, 2, 3, 3, 0):
        web.run(fetch.ours._load("GET", f"{site.url}/{n}.js", {}, b"", 1_000))
    asked = [path for path in site.paths() if path.endswith(".js")]
    assert asked == ["/0.js", "/1.js", "/2.js", "/3.js", "/0.js"]

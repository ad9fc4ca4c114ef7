import inspect
import json
import shutil
from collections import Counter

import pytest

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect.rendered import check, discover, explain, rendered

GAP = Gap(topic="a shop", why="cold start")
PROSE = "The lamp stands on the table and gives a warm light to all who sit around it in the evening. " * 4
SHELL = '<!doctype html><title>App</title><div id="root"></div><script src="/app.js"></script>'
APP = """
fetch('/api' + location.pathname).then(r => r.json()).then(page => {
  document.title = page.title;
  document.getElementById('root').innerHTML = `<h1>${page.title}</h1><p>${page.text}</p>` +
    page.links.map(l => `<a href="${l}">${l}</a>`).join(' ');
});
"""

needs_chromium = pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium: apt install chromium")


class Objects:
    def put(self, content):
        return str(len(content))


def shop(site):
    """Three plain pages, and an application of two pages behind one of them."""
    site.page("/", f"<title>Shop</title><p>{PROSE}<a href=/plain>plain</a> <a href=/app/1>app</a>")
    site.page("/plain", f"<title>Plain</title><p>{PROSE} plainly")
    site.page("/app.js", APP, content_type="text/javascript")
    for n, links in ((1, ["/app/2"]), (2, [])):
        site.page(f"/app/{n}", SHELL.replace("App", f"App {n}"))
        said = {"title": f"Story {n}", "text": f"{PROSE} number {n}", "links": links}
        site.page(f"/api/app/{n}", json.dumps(said), content_type="application/json")
    return site.url + "/"


def read(start, web, folder, state=None, told=None, **settings):
    handed = {
        "web": web, "objects": Objects(), "workspace": folder, "state": {} if state is None else state,
        "encoder": None, "known": lambda: [], "exchanges": lambda ids: {}, "subject": lambda person: "key",
        "tasks": {}, "budget": None, "progress": (told if told is not None else []).append,
    }  # fmt: skip
    return list(rendered(GAP, start=start, **settings, **handed))


@needs_chromium
def test_a_site_is_crawled_and_what_needs_a_browser_is_rendered(site, web, tmp_path):
    told, state = [], {}
    found = read(shop(site), web, tmp_path, state, told)
    texts = {r.uri.removeprefix(site.url): r.text for r in found if isinstance(r, Record)}
    assert sorted(texts) == ["/", "/app/1", "/app/2", "/plain"]
    assert texts["/app/2"].startswith("Story 2")
    assert "number 2" in texts["/app/2"]
    assert (told[-1]["rendered"], told[-1]["needless"]) == (2, 0)
    assert Counter(site.paths())["/app.js"] == 1
    assert Counter(site.paths())["/app/1"] == 1
    assert any(
        name.endswith("/app/? asks") and entry == [2, 2, 2] for name, entry in state["sections"].items()
    )


@needs_chromium
def test_a_page_that_cannot_be_rendered_is_dropped_and_the_crawl_goes_on(site, web, tmp_path, monkeypatch):
    monkeypatch.setattr("openflywheel.collect._browser.rendering.SECONDS", 3.0)
    start = shop(site)
    site.page("/app/1", SHELL.replace("</div>", "</div><script>for (;;) {}</script>"))
    site.page("/", f"<p>{PROSE}<a href=/app/1>1</a> <a href=/app/2>2</a>")
    found = read(start, web, tmp_path)
    assert Drop("the page never settles") in found
    assert site.url + "/app/2" in [r.uri for r in found if isinstance(r, Record)]


@needs_chromium
def test_a_page_that_shows_no_more_in_a_browser_is_taken_as_it_came(site, web, tmp_path):
    start = site.page("/", "<div id=root></div><p>short</p><script>1</script>")
    told = []
    (record,) = [r for r in read(start, web, tmp_path, told=told) if isinstance(r, Record)]
    assert record.text == "short"
    assert told[-1]["needless"] == 1


@needs_chromium
def test_plain_sites_start_no_browser(site, web, tmp_path, monkeypatch):
    monkeypatch.setattr("openflywheel.collect._browser.chromium.Chromium._start", None)
    start = site.page("/", f"<p>{PROSE}")
    assert len([r for r in read(start, web, tmp_path) if isinstance(r, Record)]) == 1


def test_a_missing_browser_is_explained(site, web, tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="there is no program '/no/chromium': apt install chromium"):
        check(start=site.url, browser="/no/chromium", web=web)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="no chromium on this machine.*browser: /path/to"):
        read(site.url, web, tmp_path)


@needs_chromium
def test_a_browser_that_does_not_start_fails_the_source(site, web, tmp_path):
    start = shop(site)
    with pytest.raises(SourceFailed, match="false does not start: .*"):
        read(start, web, tmp_path, browser=shutil.which("false"))


@needs_chromium
def test_check_asks_robots_txt_and_discover_and_explain_know_the_site(site, web, tmp_path):
    start = shop(site)
    check(start=start, web=web)
    assert list(discover(GAP, start=start, web=web, workspace=tmp_path))
    assert isinstance(explain(start, start=start, web=web, workspace=tmp_path), str)
    site.page("/robots.txt", "user-agent: *\ndisallow: /", content_type="text/plain")
    with pytest.raises(SourceFailed, match="may not be fetched"):
        check(start=start, web=web)


def test_settings_are_those_of_crawl_and_the_browser():
    from openflywheel.collect.crawl import crawl

    ours, theirs = (inspect.signature(f).parameters for f in (rendered, crawl))
    assert set(ours) - set(theirs) == {"browser"}

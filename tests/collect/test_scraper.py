import json

import pytest

from openflywheel.base.errors import SettingsError, SourceFailed
from openflywheel.base.nouns import Drop, Gap, Record
from openflywheel.collect._scrape.walk import MOST_KEPT
from openflywheel.collect.scraper import check, discover, scraper

GAP = Gap(topic="route", why="cold start", task="route")
REVIEW = {
    "@type": "Review",
    "name": "Fine",
    "reviewBody": "It works.",
    "author": "Ada",
    "reviewRating": {"ratingValue": 4},
}


def page(*things, more=""):
    return f'<html lang=en><script type="application/ld+json">{json.dumps(things)}</script>{more}'


def scrape(web, url, folder, state=None, gap=GAP, **settings):
    handed = {"web": web, "folder": folder, "state": {} if state is None else state}
    return list(scraper(gap, url=url, subject=lambda person: f"key of {person}", **handed, **settings))


def test_what_pages_declare_becomes_records(site, web, tmp_path):
    (record,) = scrape(web, site.page("/r", page(REVIEW)), tmp_path)
    assert (record.text, record.source, record.uri) == ("Fine\n\nIt works.", "scraper", site.url + "/r")
    assert record.meta == {"lang": "en", "kind": "Review", "title": "Fine", "rating": "4", "best": "5"}
    assert record.subject == "key of Ada"
    assert (record.labels, record.purposes, record.basis) == ({}, (), "")


def test_selectors_pick_records_with_labels_and_follow_pages_to_the_end(site, web, tmp_path):
    (tmp_path / "faq.yaml").write_text("item: li\ntext: p\nlabel: em\nnext: a.next\nrequired: [label]\n")
    for n in range(3):
        rows = f"<ul><li><p>question {n}</p><em>returns</em></li><li><p>no label {n}</p></li></ul>"
        site.page(f"/faq?p={n}", rows + f'<a class=next href="/faq?p={n + 1}">next</a>')
    found = scrape(web, f"{site.url}/faq?p=0", tmp_path, selectors="faq.yaml", pages=10)
    records = [r for r in found if isinstance(r, Record)]
    assert [r.text for r in records] == ["question 0", "question 1", "question 2"]
    assert (records[0].labels, records[0].labelled_by) == ({"route": "returns"}, "seed")
    assert found.count(Drop("lacks a required field")) == 3
    assert found[-1] == Drop("HTTP 404")


def test_a_listing_leads_to_its_details_on_the_same_host_within_the_budget(site, web, tmp_path):
    links = "".join(f'<a class=d href="/d/{n}">d</a>' for n in range(4))
    site.page(
        "/", links + '<a class=d href="https://elsewhere.example/">x</a><a class=d href="/d/0#again">d</a>'
    )
    for n in range(4):
        site.page(f"/d/{n}", page({**REVIEW, "reviewBody": f"body {n}"}))
    found = scrape(web, site.url + "/", tmp_path, follow="a.d", pages=3)
    assert [r.text for r in found if isinstance(r, Record)] == ["Fine\n\nbody 0", "Fine\n\nbody 1"]
    drops = [d.reason for d in found if isinstance(d, Drop)]
    assert (
        sorted(drops)
        == ["a link to another host", "no structured data"] + ["the budget of pages is spent"] * 2
    )


def test_pages_that_have_not_changed_give_nothing_again(site, web, tmp_path):
    state = {}
    url = site.page("/r", page(REVIEW))
    assert len(scrape(web, url, tmp_path, state)) == 1
    assert scrape(web, url, tmp_path, json.loads(json.dumps(state))) == [Drop("unchanged")]
    assert isinstance(scrape(web, url, tmp_path, state, gap=Gap(topic="o", why="", task="other"))[0], Record)
    assert isinstance(scrape(web, url, tmp_path, state, kinds=("Review",))[0], Record)
    site.page("/r", page({**REVIEW, "reviewBody": "It broke."}))
    assert scrape(web, url, tmp_path, state)[0].text == "Fine\n\nIt broke."


def test_a_page_is_asked_for_by_its_etag_and_an_old_listing_is_still_followed(site, web, tmp_path):
    state, answer = {}, page(REVIEW).encode()
    site.pages["/r"] = lambda headers: (
        (304, {}, b"") if headers.get("if-none-match") == '"1"' else (200, {"etag": '"1"'}, answer)
    )
    assert len(scrape(web, site.url + "/r", tmp_path, state)) == 1
    assert scrape(web, site.url + "/r", tmp_path, state) == [Drop("unchanged")]
    site.page("/", "<a href=/d>d</a>")
    site.page("/d", page(REVIEW))
    list(scrape(web, site.url + "/", tmp_path, state, follow="a"))
    site.page("/d", page({**REVIEW, "reviewBody": "new"}))
    found = scrape(web, site.url + "/", tmp_path, state, follow="a")
    assert [r.text for r in found if isinstance(r, Record)] == ["Fine\n\nnew"]


def test_the_state_is_bounded(site, web, tmp_path):
    state = {}
    urls = tuple(
        site.page(f"/{n}", page(REVIEW), etag='"' + "e" * 98 + '"', last_modified="m" * 100)
        for n in range(MOST_KEPT + 5)
    )
    scrape(web, urls, tmp_path, state, pages=1000)
    assert len(state["pages"]) == MOST_KEPT
    assert len(json.dumps(state)) < 100_000


def test_robots_txt_and_opt_outs_are_obeyed(site, web, tmp_path):
    site.page("/robots.txt", "user-agent: *\ndisallow: /no", content_type="text/plain")
    urls = (
        site.page("/no", page(REVIEW)),
        site.page("/header", page(REVIEW), x_robots_tag="noai"),
        site.page("/meta", page(REVIEW, more='<meta name=robots content="noindex">')),
        site.page("/reserved", page(REVIEW), tdm_reservation="1"),
        site.page("/moved", "", 302, location="/no"),
    )
    found = scrape(web, urls, tmp_path)
    reasons = [d.reason for d in found]
    assert reasons[0] == reasons[4] == "refused by robots.txt"
    assert reasons[1:4] == ["noai", "noindex", "tdm-reservation"]
    assert "/no" not in site.paths()


def test_a_bad_page_never_ends_the_scrape(site, web, tmp_path):
    urls = (
        site.page("/gone", "", 404),
        site.page("/pdf", b"%PDF-1.7", content_type="application/pdf"),
        site.page("/empty", ""),
        site.page("/plain", "<p>nothing here"),
        site.page("/broken", '<script type="application/ld+json">{"@type": </script>'),
        site.page("/deep", "<div itemscope>" * 100_000),
        site.page("/large", b"x" * 4_000_000),
        site.page("/silent", page({"@type": "Review", "reviewRating": {"ratingValue": 1}})),
        site.page("/good", page(REVIEW)),
        "http://127.0.0.2:1/other-host",
    )
    *drops, record, last = scrape(web, urls, tmp_path)
    assert [d.reason for d in drops] == [
        "HTTP 404", "content type not wanted", "no structured data", "no structured data", "broken JSON-LD",
        "no structured data", "too large", "lacks a text",
    ]  # fmt: skip
    assert record.text == "Fine\n\nIt works."
    assert last == Drop("refused by robots.txt")


def test_a_site_of_which_nothing_can_be_read_fails(site, web, tmp_path):
    site.page("/robots.txt", "")
    site.page("/down", "", 404)
    with pytest.raises(SourceFailed, match="no page can be read.*HTTP 404"):
        scrape(web, site.url + "/down", tmp_path)
    with pytest.raises(SourceFailed, match="HTTP 404"):
        check(url=site.url + "/down", web=web, folder=tmp_path)
    check(url=site.page("/up", "<p>up"), web=web, folder=tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "ftp://x.example/"}, "'ftp://x.example/' is no URL of a page"),
        ({"url": ()}, "is no URL"),
        ({"url": "https://x.example", "kinds": ("Revue",)}, "no kind 'Revue'; did you mean 'Review'"),
        ({"url": "https://x.example", "selectors": "none.yaml"}, "none.yaml cannot be read"),
        ({"url": "https://x.example", "follow": "a["}, "'a\\[' is no CSS selector"),
    ],
)
def test_wrong_settings_are_explained_before_anything_is_fetched(web, tmp_path, settings, said):
    for use in (
        lambda: scrape(web, settings["url"], tmp_path, **{k: v for k, v in settings.items() if k != "url"}),
        lambda: check(**settings, web=web, folder=tmp_path),
        lambda: list(discover(GAP, **settings, folder=tmp_path)),
    ):
        with pytest.raises(SettingsError, match=said):
            use()


def test_discover_names_the_pages_and_what_is_looked_for(site, tmp_path):
    (tmp_path / "s.yaml").write_text("text: p\nfields: {price: {select: b, type: price}}\nnext: a.next\n")
    (stream,) = discover(GAP, url=site.url + "/x", selectors="s.yaml", folder=tmp_path)
    assert (stream.name, stream.columns) == (site.url + "/x", ("price",))
    assert "'a.next'" in stream.note
    (stream,) = discover(GAP, url=site.url + "/x", kinds=("Review",), folder=tmp_path)
    assert stream.columns == ("Review",)
    assert site.asked == []

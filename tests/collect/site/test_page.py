import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.collect._site.page import ANCHOR, Link, Page, read

URL = "https://h.example/docs/a.html"


def page(html: str) -> Page:
    return read(html.encode(), URL)


def test_a_page_is_read() -> None:
    found = page(
        """<!doctype html><html lang="en-GB"><head><title> How to
        charge </title><link rel=canonical href="/docs/a"><meta name=description content="On  batteries">
        <meta property=article:published_time content="2024-03-05T10:00:00Z">
        <meta name=author content="Ann Lee">
        <meta property=og:site_name content=Docs><meta property=og:type content=article>
        <link rel=license href="https://creativecommons.org/licenses/by/4.0/">
        <link rel=alternate type=application/rss+xml href=/feed>
        <link rel=alternate type=text/html href=/de></head>
        <body><nav><a href=/>Home</a></nav>
        <h1>Charging</h1><p>Use <a href="b.html#x">the cable</a>.</body></html>"""
    )
    assert found == Page(
        url=URL,
        canonical="https://h.example/docs/a",
        title="How to charge",
        text="Charging\nUse the cable.",
        lang="en-GB",
        links=(Link("https://h.example/", "Home"), Link("https://h.example/docs/b.html", "the cable")),
        meta={
            "description": "On batteries",
            "published": "2024-03-05T10:00:00+00:00",
            "site": "Docs",
            "type": "article",
        },
        author="Ann Lee",
        license="CC-BY-4.0",
        feeds=("https://h.example/feed",),
    )


@pytest.mark.parametrize(
    "body", [b"", b"\x00", b"\xff\xfe", b"<", b"<a", b"<!--", b"no markup", b"<html", b"\xef\xbb\xbf"]
)
def test_what_is_hardly_a_page_is_read_all_the_same(body: bytes) -> None:
    assert read(body, URL).links == ()


@given(st.binary(max_size=300), st.text(max_size=20))
def test_nothing_makes_it_fail(body: bytes, charset: str) -> None:
    assert read(b"<p>" + body, URL, charset).url == URL


pieces = st.sampled_from(
    [
        "<a href=/x>",
        "</a>",
        "<pre>",
        "</pre>",
        "<table>",
        "<td>",
        "<p>",
        "<title>",
        "<base href=",
        "'",
        '"',
        ">",
        "<main>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "x",
        " ",
        "&amp;",
        "<meta name=robots content=none>",
        "<svg>",
        "<template>",
    ]
)


@given(st.lists(pieces, max_size=40).map("".join))
def test_tags_in_any_order_are_read(html: str) -> None:
    found = page(html)
    assert "\x03" not in found.text
    assert all(link.url.startswith("http") for link in found.links)


def test_links_are_whole_once_each_and_without_fragment() -> None:
    found = page(
        """<a href="b"><img src=i.png></a><a href="b#1"> The  b </a><a href="b#2">again</a>
        <a href="#top">up</a>
        <a href=javascript:x()>no</a><a name=n>no</a><area href=/map alt=Map><frame src=/f>
        <iframe src=/g></iframe>
        <a href=/t title=Tip></a><a href="http://[">bad</a><img src=/no.png>
        <a href=mailto:a@b.example>no</a>"""
    )
    assert found.links == (
        Link("https://h.example/docs/b", "The b"),
        Link("https://h.example/map", "Map"),
        Link("https://h.example/g"),
        Link("https://h.example/t", "Tip"),
    )


def test_frames_are_links() -> None:
    found = page("<frameset><frame src=/f><frame src=g></frameset>")
    assert [link.url for link in found.links] == ["https://h.example/f", "https://h.example/docs/g"]


def test_nofollow_of_a_link_and_of_the_page() -> None:
    found = page(
        "<meta name=robots content='noindex, NOFOLLOW'>"
        "<a rel='x NoFollow' href=/a>a</a><a rel=me href=/b>b</a>"
    )
    assert [link.nofollow for link in found.links] == [True, False]
    assert (found.noindex, found.nofollow) == (True, True)


def test_a_long_anchor_is_cut() -> None:
    assert len(page(f"<a href=/x>{'w ' * 1000}</a>").links[0].text) == ANCHOR


def test_the_base_counts_for_links_and_canonical() -> None:
    found = page("<base href='//o.example/x/'><link rel=canonical href=c><a href=d>d</a>")
    assert (found.canonical, found.links[0].url) == ("https://o.example/x/c", "https://o.example/x/d")
    assert page("<base href='javascript:'><a href=d>d</a>").links[0].url == "https://h.example/docs/d"


def test_the_charset_of_the_headers_is_heard() -> None:
    assert read("<title>Köln</title>".encode("latin-1"), URL, "latin-1").title == "Köln"


def test_reading_says_when_a_browser_is_needed() -> None:
    assert page("<div id=root></div><script src=app.js></script>").needs_script == "empty application root"

import asyncio
from typing import Any

import pytest

from openflywheel.collect._site.kept import AGAIN, FRESH
from openflywheel.collect._site.page import Page, read
from openflywheel.collect._site.robots import Robots
from openflywheel.collect._site.signals import (
    Site,
    SiteSignals,
    directives,
    linked_license,
    opted_out,
    reserved,
)
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response

URL = "http://h/docs/a"
PAGE = Page(url=URL)


def page(*metas: str) -> Page:
    return read("".join(f"<meta {m}>" for m in metas).encode(), URL)


def site(ai: str = "", tdm: tuple[tuple[str, bool], ...] = ()) -> Site:
    return Site(Robots.parse(ai.encode()), tdm)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("noindex", {"noindex"}),
        ("NoIndex, NoFollow", {"noindex", "nofollow"}),
        ("none", {"none", "noindex", "nofollow"}),
        ("otherbot: noindex, noai", set()),
        ("openflywheel: noindex", {"noindex"}),
        ("otherbot: noindex, openflywheel: noai", {"noai"}),
        ("max-snippet: 50, noai", {"max-snippet", "noai"}),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", {"unavailable_after"}),
        ("", set()),
        (", ,:,", set()),
    ],
)
def test_x_robots_tag(header: str, said: set[str]) -> None:
    assert directives(header) == said


@pytest.mark.parametrize(
    ("headers", "metas", "reason"),
    [
        ({}, (), ""),
        ({"x-robots-tag": "noindex"}, (), "noindex"),
        ({"x-robots-tag": "noai"}, (), "noai"),
        ({"x-robots-tag": "googlebot: noindex"}, (), ""),
        ({"x-robots-tag": "nofollow, noarchive"}, (), ""),
        ({}, ("name=robots content=none",), "noindex"),
        ({}, ("name=robots content=noai",), "noai"),
        ({}, ("name=robots content=noimageai",), ""),  # a page is no image
        ({"x-robots-tag": "noimageai", "content-type": "image/png"}, (), "noimageai"),
        ({}, ("name=tdm-reservation content=1",), "tdm-reservation"),
        ({"tdm-reservation": "1"}, (), "tdm-reservation"),
        ({"tdm-reservation": "0"}, (), ""),
        ({"content-usage": "train-ai=n"}, (), "train-ai"),
        ({"content-usage": "bots=y, train-ai=y"}, (), ""),
        ({"content-usage": "bots=?0"}, (), "bots"),
        ({"content-signal": "search=yes, ai-train=no"}, (), "ai-train"),
        ({"content-signal": "search=no, ai-train=yes, ai-input=yes"}, (), ""),
        ({"content-signal": "AI-Input = NO"}, (), "ai-input"),
        ({"content-signal": "ai-train=notice"}, (), ""),
    ],
)
def test_a_page_says_no(headers: dict[str, str], metas: tuple[str, ...], reason: str) -> None:
    assert opted_out(URL, headers, page(*metas)) == reason


def test_what_search_engines_may_not_do_is_no_reservation() -> None:
    assert reserved(URL, {"x-robots-tag": "noindex"}, page("name=robots content=noindex")) == ""
    assert reserved(URL, {"tdm-reservation": "1"}) == "tdm-reservation"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("User-agent: *\nContent-Signal: ai-train=no", "ai-train"),
        ("Content-Signal: ai-train=no\n\nUser-agent: *\nAllow: /", "ai-train"),
        ("User-agent: *\nContent-Usage: train-ai=n", "train-ai"),
        ("User-agent: *\nContent-Usage: /docs/ train-ai=n", "train-ai"),
        ("User-agent: *\nContent-Usage: /blog/ train-ai=n", ""),
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /docs/ train-ai=y", ""),
        ("User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: /docs/*a train-ai=n", "train-ai"),
        ("User-agent: other\nContent-Signal: ai-train=no", ""),
        ("User-agent: openflywheel\nContent-Signal: ai-train=no", "ai-train"),
    ],
)
def test_robots_txt_says_no(lines: str, reason: str) -> None:
    assert opted_out(URL, {}, PAGE, Robots.parse(lines.encode())) == reason


@pytest.mark.parametrize(
    ("ai", "url", "refused"),
    [
        ("User-Agent: *\nDisallow: /", URL, True),
        ("User-Agent: *\nDisallow: *.html", URL, True),  # a page without suffix is one
        ("User-Agent: *\nDisallow: *.html", "http://h/", True),
        ("User-Agent: *\nDisallow: *.jpg", URL, False),
        ("User-Agent: *\nDisallow: *.txt\nAllow: *.html", "http://h/a.html", False),
        ("User-Agent: *\nDisallow: *.txt", "http://h/a.txt", True),
        ("User-Agent: gptbot\nDisallow: /", URL, False),
        ("<html>not found</html>", URL, False),
    ],
)
def test_ai_txt_says_no(ai: str, url: str, refused: bool) -> None:
    assert opted_out(url, {}, PAGE, None, site(ai)) == ("ai.txt" if refused else "")


def test_ai_txt_about_files_that_are_no_pages() -> None:
    assert opted_out("http://h/raw", {}, None, None, site("User-Agent: *\nDisallow: *.html")) == ""
    assert opted_out("http://h/a.jpg", {}, None, None, site("User-Agent: *\nDisallow: *.jpg")) == "ai.txt"


@pytest.mark.parametrize(
    ("tdm", "headers", "reason"),
    [
        ((("/", True),), {}, "tdm-reservation"),
        ((("/", True),), {"tdm-reservation": "0"}, ""),  # the nearer one
        ((("/", True), ("/docs/", False)), {}, ""),
        ((("/", False), ("/docs/*", True)), {}, "tdm-reservation"),
        ((("/blog/", True),), {}, ""),
        ((), {}, ""),
    ],
)
def test_tdmrep_json_says_no(tdm: tuple[tuple[str, bool], ...], headers: dict[str, str], reason: str) -> None:
    assert opted_out(URL, headers, PAGE, None, site(tdm=tdm)) == reason


@pytest.mark.parametrize(
    ("link", "license"),
    [
        ('<https://creativecommons.org/licenses/by/4.0/>; rel="license"', "CC-BY-4.0"),
        ("</next>; rel=next, <https://h/terms>; title=x; rel=license", "https://h/terms"),
        ("<https://h/terms>; rel=next, <https://h/next>; title=license", ""),
        ('</next>; rel=next, <https://h/terms>; rel="me license"', "https://h/terms"),
        ("<https://h/terms>; rel=license-x-free", "https://h/terms"),
        ("<https://h/terms>; rel=prelicense", ""),
        ("", ""),
    ],
)
def test_license_of_the_link_header(link: str, license: str) -> None:
    assert linked_license({"link": link}) == license


FILES = {
    "/ai.txt": "User-Agent: *\nDisallow: /art/\n",
    "/.well-known/tdmrep.json": '[{"location": "/music/*", "tdm-reservation": 1}, {"location": "/m%c3%bc", '
    '"tdm-reservation": "1"}, {"location": 3}, 4, {"tdm-reservation": 1}]',
}


def test_both_files_are_asked_for_once(web: Any, site: Any) -> None:
    for path, body in FILES.items():
        site.page(path, body)
    signals = SiteSignals(web.fetch)

    async def said() -> list[str]:
        urls = [f"{site.url}{path}" for path in ("/", "/art/1", "/music/2", "/m%C3%BC")]
        return [opted_out(url, {}, None, None, await signals.at(url)) for url in urls]

    assert web.run(said()) == ["", "ai.txt", "tdm-reservation", "tdm-reservation"]
    assert site.paths() == list(FILES)


@pytest.mark.parametrize(
    "body", ["", "{}", "[", "[[[", "nonsense", "[1, null]", '{"location": "/"}', "[" * 10_000]
)
def test_a_broken_tdmrep_json_says_nothing(web: Any, site: Any, body: str) -> None:
    site.page("/.well-known/tdmrep.json", body)
    assert web.run(SiteSignals(web.fetch).at(f"{site.url}/")).tdm == ()


def test_what_could_not_be_read_is_asked_for_again() -> None:
    now, asked = [0.0], list[str]()

    async def fetch(url: str) -> Response:
        asked.append(url)
        if len(asked) == 1:
            raise FetchFailed("too slow", url)
        status = 503 if len(asked) == 2 else 404
        return Response(url=url, status=status, headers={}, body=b"User-agent: *\nDisallow: /", seconds=0)

    async def use() -> None:
        signals = SiteSignals(fetch, clock=lambda: now[0])
        for now[0], requests in ((0, 2), (AGAIN - 1, 2), (AGAIN + 1, 4), (AGAIN + FRESH, 4)):
            assert opted_out(URL, {}, PAGE, None, await signals.at(URL)) == ""
            assert len(asked) == requests

    asyncio.run(use())

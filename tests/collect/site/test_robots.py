import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.collect._site.kept import AGAIN, FRESH
from openflywheel.collect._site.robots import Robots, RobotsBook, token
from openflywheel.collect._site.rules import LONGEST_LINE, MOST_BYTES, lines, matches
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response

OURS = "openflywheel/0.1 (+test@example.com)"
EVERYBODY = b"User-agent: *\nDisallow: /private\n"


def answer(status: int, body: bytes = b"") -> Response:
    return Response(url="", status=status, headers={}, body=body, seconds=0.0)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Far:
    """A far side that says what it is given, in turn; the last answer again and again."""

    def __init__(self, *answers: Response | FetchFailed) -> None:
        self.answers, self.asked = list(answers), list[str]()

    async def __call__(self, url: str) -> Response:
        self.asked.append(url)
        await asyncio.sleep(0)
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, FetchFailed):
            raise said
        return said


def test_our_user_agent_is_known_by_its_product_token() -> None:
    robots = Robots.parse(b"User-agent: *\nDisallow: /\n\nUser-agent: OpenFlywheel\nAllow: /a\nDisallow: /\n")
    assert robots.allowed(OURS, "http://h/a")
    assert not robots.allowed(OURS, "http://h/b")
    assert not robots.allowed("other", "http://h/a")


@pytest.mark.parametrize(
    ("agent", "name"), [(OURS, "openflywheel"), ("A-b_c/1", "A-b_c"), ("foo bar", ""), ("", ""), ("f2", "")]
)
def test_the_product_token_of_a_user_agent(agent: str, name: str) -> None:
    assert token(agent) == name


def test_why_names_the_line_that_decides() -> None:
    robots = Robots.parse(b"# ours\nUser-agent: *\nDisallow: /a\nAllow: /a/b\n")
    assert robots.why(OURS, "http://h/a/c") == "line 3: disallow: /a"
    assert robots.why(OURS, "http://h/a/b/c") == "line 4: allow: /a/b"
    assert robots.why(OURS, "http://h/else") == ""


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("10", 10.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
    ],
)
def test_crawl_delay_takes_fractions_and_no_nonsense(said: str, seconds: float | None) -> None:
    assert Robots.parse(f"User-agent: *\nCrawl-delay: {said}\n".encode()).delay(OURS) == seconds


def test_crawl_delay_belongs_to_its_group_and_does_not_close_it() -> None:
    robots = Robots.parse(b"User-agent: a\nCrawl-delay: 5\nUser-agent: *\nCrawl-delay: 7\nDisallow: /x\n")
    assert robots.delay("a") == 7.0  # the larger of its two
    assert robots.delay("b") == 7.0
    assert not robots.allowed("a", "http://h/x")


def test_an_agent_with_a_group_of_its_own_does_not_take_everybodys_delay() -> None:
    robots = Robots.parse(
        b"User-agent: *\nCrawl-delay: 9\nDisallow:\n\nUser-agent: openflywheel\nDisallow: /x\n"
    )
    assert robots.delay(OURS) is None


def test_other_lines_are_kept_by_group_and_those_before_all_groups_are_for_all() -> None:
    robots = Robots.parse(
        b"Content-Signal: ai-train=no\nUser-agent: a\nX: 1\nDisallow: /\n\nUser-agent: *\nX: 2\n"
    )
    assert robots.said("a", "x") == ["1"]
    assert robots.said(OURS, "x") == ["2"]
    assert robots.said(OURS, "content-signal") == ["ai-train=no"]
    assert robots.allowed(OURS, "http://h/")


def test_rules_before_all_groups_bind_nobody() -> None:
    assert Robots.parse(b"Disallow: /\nUser-agent: a\nDisallow: /\n").allowed(OURS, "http://h/")


def test_sitemaps_are_listed_once_in_order() -> None:
    said = "Sitemap: http://h/b.xml\nUser-agent: *\nSitemap: http://h/ä.xml\nsite-map: http://h/b.xml\n"
    assert Robots.parse(said.encode()).sitemaps == ("http://h/b.xml", "http://h/ä.xml")


def test_where_rfc_and_google_differ_the_more_cautious_reading_holds() -> None:
    """RFC 9309 section 2.2.2: %62%61%7A is baz; Google's vectors say that it is not."""
    allowing = Robots.parse(b"User-agent: *\nDisallow: /\nAllow: /%62%61%7A\n")
    assert not allowing.allowed(OURS, "http://h/baz")
    assert allowing.allowed(OURS, "http://h/%62%61%7A")
    refusing = Robots.parse(b"User-agent: *\nDisallow: /%62%61%7A\n")
    assert not refusing.allowed(OURS, "http://h/baz")
    assert not refusing.allowed(OURS, "http://h/%62%61%7a")


@pytest.mark.parametrize("url", ["http://h/%E3%83%84", "http://h/%e3%83%84", "http://h/ツ"])
def test_a_disallow_binds_in_every_encoding(url: str) -> None:
    for pattern in ("/ツ", "/%E3%83%84", "/%e3%83%84"):
        assert not Robots.parse(f"User-agent: *\nDisallow: {pattern}\n".encode()).allowed(OURS, url)


def test_octets_that_look_like_white_space_in_latin_1_stay() -> None:
    """U+00E0 ends in the octet A0, U+2026 has 85 within: str.strip would cut them."""
    for end in ("à", "…"):
        robots = Robots.parse(f"User-agent: *\nDisallow: /x{end}\n".encode())
        assert not robots.allowed(OURS, f"http://h/x{end}")
        assert robots.allowed(OURS, "http://h/x")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(end: str) -> None:
    robots = Robots.parse(f"User-agent: *{end}Disallow: /a{end}Disallow: /b".encode())
    assert [robots.why(OURS, f"http://h/{x}") for x in "ab"] == [
        "line 2: disallow: /a",
        "line 3: disallow: /b",
    ]


def test_the_first_500_kib_are_read() -> None:
    filler = b"# " + b"x" * 98 + b"\n"
    head = b"User-agent: *\nDisallow: /first\n"
    body = head + filler * ((MOST_BYTES - len(head)) // len(filler) + 1) + b"Disallow: /late\n"
    robots = Robots.parse(body)
    assert not robots.allowed(OURS, "http://h/first")
    assert robots.allowed(OURS, "http://h/late")


def test_a_line_is_cut_where_google_cuts_it() -> None:
    [line] = lines(b"disallow: /" + b"a" * 20_000)
    assert len("disallow: ") + len(line.value) == LONGEST_LINE


@pytest.mark.parametrize(
    ("pattern", "path", "said"),
    [
        ("/a*c", "/abbbc", True), ("/a*c$", "/abbbcd", False), ("/a*c$", "/abcbc", True), ("*", "/", True),
        ("*$", "/anything", True), ("/a$b", "/a$b", True), ("/a$", "/a$", False), ("$", "", True),
        ("/*a*b*c", "/cba-abc", True), ("/*a*b*c", "/cbacab", False), ("/a**b", "/ab", True),
        ("/ab*b$", "/ab", False),
    ],
)  # fmt: skip
def test_patterns(pattern: str, path: str, said: bool) -> None:
    assert matches(pattern, path) is said


def test_a_pattern_of_many_stars_takes_linear_time() -> None:
    assert not matches("/" + "*a" * 5_000 + "$", "/" + "a" * 4_999)
    assert matches("/" + "*a" * 5_000 + "$", "/" + "a" * 5_000)


pieces = st.sampled_from(
    [
        b"User-agent: *",
        b"user-agent",
        b"Disallow: /",
        b"allow:",
        b"\n",
        b"\r",
        b":",
        b"*",
        b"$",
        b"#",
        b"/a",
        b"%",
        b"%6",
        b"%zz",
    ]
)


@given(st.lists(st.one_of(pieces, st.binary(max_size=12)), max_size=40).map(b"".join), st.text(max_size=30))
def test_nothing_makes_the_reader_fail(body: bytes, path: str) -> None:
    robots = Robots.parse(body)
    url = f"http://h/{path}"
    assert isinstance(robots.allowed(OURS, url), bool)
    assert robots.allowed(OURS, url) or robots.why(OURS, url).startswith("line ")
    assert robots.delay(OURS) is None or robots.delay(OURS) >= 0


@given(st.text("ab/*", max_size=12), st.text("ab/", max_size=12))
def test_matching_agrees_with_a_regular_expression(pattern: str, path: str) -> None:
    import re

    said = re.match(".*".join(map(re.escape, pattern.split("*"))), path, re.DOTALL)
    assert matches(pattern, path) is bool(said)


def book(far: Far, use: Callable[[RobotsBook, Clock], Any]) -> Any:
    clock = Clock()
    return asyncio.run(use(RobotsBook(far, OURS, clock=clock), clock))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 304])
def test_no_robots_txt_allows_everything(status: int) -> None:
    far = Far(answer(status, b"User-agent: *\nDisallow: /\n"))
    assert book(far, lambda b, _: b.allowed("http://h/private")) is True


@pytest.mark.parametrize("status", [429, 500, 502, 503, 599, 100])
def test_a_robots_txt_that_cannot_be_read_allows_nothing(status: int) -> None:
    far = Far(answer(status))
    assert book(far, lambda b, _: b.allowed("http://h/")) is False
    assert book(far, lambda b, _: b.why("http://h/")) == f"robots.txt could not be read: status {status}"


def test_a_site_that_does_not_answer_allows_nothing() -> None:
    far = Far(FetchFailed("no connection", "http://h/robots.txt"))
    assert book(far, lambda b, _: b.allowed("http://h/")) is False
    assert book(far, lambda b, _: b.why("http://h/")) == "robots.txt could not be read: no connection"


def test_the_robots_txt_itself_may_always_be_fetched() -> None:
    far = Far(answer(503))
    assert book(far, lambda b, _: b.allowed("http://h/robots.txt")) is True
    assert far.asked == []


def test_each_origin_is_asked_once_a_day() -> None:
    far = Far(answer(200, EVERYBODY))

    async def use(b: RobotsBook, clock: Clock) -> list[bool]:
        said = [await b.allowed(u) for u in ("http://h/", "http://h/private", "http://h:81/", "https://h/")]
        clock.now = FRESH - 1
        await b.allowed("http://h/")
        asked = len(far.asked)
        clock.now = FRESH + 1
        await b.allowed("http://h/")
        assert len(far.asked) == asked + 1
        return said

    assert book(far, use) == [True, False, True, True]
    assert far.asked[:3] == ["http://h/robots.txt", "http://h:81/robots.txt", "https://h/robots.txt"]


def test_what_failed_is_asked_again_after_a_while() -> None:
    far = Far(answer(503), answer(200, EVERYBODY))

    async def use(b: RobotsBook, clock: Clock) -> list[bool]:
        said = [await b.allowed("http://h/")]
        clock.now = AGAIN - 1
        said.append(await b.allowed("http://h/"))
        clock.now = AGAIN + 1
        return [*said, await b.allowed("http://h/")]

    assert book(far, use) == [False, False, True]
    assert len(far.asked) == 2


def test_many_who_ask_at_once_share_one_request() -> None:
    far = Far(answer(200, EVERYBODY))

    async def use(b: RobotsBook, _: Clock) -> list[bool]:
        return await asyncio.gather(*(b.allowed(f"http://h/{i}") for i in range(20)))

    assert book(far, use) == [True] * 20
    assert far.asked == ["http://h/robots.txt"]


def test_one_who_gives_up_does_not_take_it_from_the_others() -> None:
    far = Far(answer(200, EVERYBODY))

    async def use(b: RobotsBook, _: Clock) -> bool:
        first = asyncio.ensure_future(b.allowed("http://h/"))
        second = asyncio.ensure_future(b.allowed("http://h/"))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert book(far, use) is True
    assert len(far.asked) == 1


def test_an_error_of_ours_is_not_kept() -> None:
    calls = list[str]()

    async def broken(url: str) -> Response:
        calls.append(url)
        raise RuntimeError("bug")

    async def use() -> None:
        b = RobotsBook(broken, OURS)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="bug"):
                await b.allowed("http://h/")

    asyncio.run(use())
    assert len(calls) == 2


def test_a_book_over_real_http(web: Any, site: Any) -> None:
    site.page("/robots.txt", "User-agent: openflywheel\nDisallow: /no\nCrawl-delay: 2\nSitemap: /s.xml\n")
    b = RobotsBook(web.fetch, web.agent)
    assert web.run(b.allowed(f"{site.url}/yes")) is True
    assert web.run(b.allowed(f"{site.url}/no")) is False
    assert web.run(b.delay(f"{site.url}/")) == 2.0
    assert web.run(b.robots(f"{site.url}/")).sitemaps == ("/s.xml",)
    assert site.paths() == ["/robots.txt"]

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.collect._site.urls import DEEPEST, LONGEST, canonical, host, near, origin, trap

BASE = "http://a/b/c/d;p?q"

# RFC 3986 section 5.4.1 and 5.4.2, for http; a fragment goes, and a query of a bare name stays.
RESOLVED = {
    "g": "http://a/b/c/g", "./g": "http://a/b/c/g", "g/": "http://a/b/c/g/", "/g": "http://a/g", "//g": "http://g/",
    "?y": "http://a/b/c/d;p?y", "g?y": "http://a/b/c/g?y", "#s": "http://a/b/c/d;p?q", "g#s": "http://a/b/c/g",
    ";x": "http://a/b/c/;x", "g;x": "http://a/b/c/g;x", "g;x?y#s": "http://a/b/c/g;x?y", "": "http://a/b/c/d;p?q",
    ".": "http://a/b/c/", "./": "http://a/b/c/", "..": "http://a/b/", "../": "http://a/b/", "../g": "http://a/b/g",
    "../..": "http://a/", "../../": "http://a/", "../../g": "http://a/g", "../../../g": "http://a/g",
    "/./g": "http://a/g", "/../g": "http://a/g", "g.": "http://a/b/c/g.", ".g": "http://a/b/c/.g",
    "./../g": "http://a/b/g", "./g/.": "http://a/b/c/g/", "g/./h": "http://a/b/c/g/h", "g/../h": "http://a/b/c/h",
    "g?y/../x": "http://a/b/c/g?y/../x",
}  # fmt: skip

SAME = [
    ("HTTP://EXAMPLE.com", "http://example.com/"), ("http://h:80/", "http://h/"), ("https://h:443/", "https://h/"),
    ("http://h:8080/", "http://h:8080/"), ("http://h:080/", "http://h/"), ("http://h./", "http://h/"),
    ("http://h:/", "http://h/"), (" http://h/a\tb\n ", "http://h/ab"), ("http:\\\\h\\a?b\\c", "http://h/a?b%5Cc"),
    ("http://h/%7euser/%2fx", "http://h/~user/%2Fx"), ("http://h/a b", "http://h/a%20b"),
    ("http://h/100%", "http://h/100%25"), ("http://h/ä?ö=ü", "http://h/%C3%A4?%C3%B6=%C3%BC"),
    ("http://h/%2e%2e/a", "http://h/a"), ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ("http://straße.de/", "http://xn--strae-oqa.de/"), ("http://ex%61mple.com/", "http://example.com/"),
    ("http://[::1]:81/x", "http://[::1]:81/x"), ("http://h/?b=2&a=1", "http://h/?a=1&b=2"),
    ("http://h/?a=2&b=1&a=1", "http://h/?a=2&a=1&b=1"), ("http://h/?", "http://h/"), ("http://h/?&&a", "http://h/?a"),
    ("http://h/?utm_source=x&UTM_Medium=y&id=3", "http://h/?id=3"), ("http://h/?gclid=1&fbclid=2", "http://h/"),
    ("http://h/a;jsessionid=0A1?x=1", "http://h/a?x=1"), ("http://h/?PHPSESSID=1&sid=2&side=3", "http://h/?side=3"),
    ("http://h/#a?b", "http://h/"), ("http://h?a", "http://h/?a"), ("http://h/a//b", "http://h/a//b"),
]  # fmt: skip

NONE = [
    "javascript:void(0)", "mailto:a@b.example", "data:text/html,x", "ftp://h/", "file:///etc/passwd", "http://",
    "http:///a", "http://u:p@h/", "http://u@h/", "http://h:99999/", "http://h:x/", "http://a b/", "http://-/",
    "http://a..b/", "http://.a/", "http://[::1/", "http://h%00/", "http://xn--\udcff/", "", "#", "http://%zz/",
    "tel:1", "h/a",
]  # fmt: skip


@pytest.mark.parametrize(("url", "whole"), RESOLVED.items())
def test_relative_urls_as_in_the_rfc(url: str, whole: str) -> None:
    assert canonical(url, BASE) == whole


@pytest.mark.parametrize(("url", "whole"), SAME)
def test_one_form_for_what_is_the_same(url: str, whole: str) -> None:
    assert canonical(url) == whole


@pytest.mark.parametrize("url", NONE)
def test_what_is_no_page_of_the_web_is_none(url: str) -> None:
    assert canonical(url) is None


def test_a_scheme_of_the_base_is_taken_for_what_has_only_a_host() -> None:
    assert canonical("//h/x", "https://b/") == "https://h/x"
    assert canonical("//h/x") is None


@given(st.text(max_size=60), st.sampled_from(["", "http://h/a/b?c", "https://h:1/", "no base"]))
def test_nothing_makes_it_fail_and_the_form_is_final(url: str, base: str) -> None:
    found = canonical(url, base)
    assert found is None or (canonical(found) == found and found.isascii() and "#" not in found)


parts = st.sampled_from(
    [
        "http://",
        "//",
        "h",
        "/",
        "..",
        ".",
        "?",
        "a=1",
        "&",
        "%",
        "%41",
        "%e4",
        ";",
        ":",
        "#",
        "\\",
        "@",
        "é",
        " ",
    ]
)


@given(st.lists(parts, max_size=12).map("".join))
def test_the_form_of_what_looks_like_a_url_is_final(url: str) -> None:
    found = canonical(url, "http://base/x/")
    assert found is None or (canonical(found) == found and "/../" not in found.partition("?")[0])


def test_origin_and_host() -> None:
    assert origin("https://h.example:81/a/b") == "https://h.example:81"
    assert [host(u) for u in ("http://h/", "http://h:81/a:b", "http://[::1]/", "http://[::1]:81/")] == [
        "h", "h", "[::1]", "[::1]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "http://h/a",
        "https://h/a/",
        "http://www.h/a",
        "http://h/a/index.html",
        "http://h/a/index.php?",
        "HTTP://H/%61",
    ],
)
def test_near_duplicates_fall_together(url: str) -> None:
    assert near(url) == "h/a"


@pytest.mark.parametrize("url", ["http://h/b", "http://h/a?b", "http://h:81/a", "http://x.h/a", "http://h/A"])
def test_others_do_not(url: str) -> None:
    assert near(url) != "h/a"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://h/" + "a" * LONGEST, "URL too long"),
        ("http://h" + "".join(f"/{i}" for i in range(DEEPEST + 1)), "URL too deep"),
        ("http://h/a/b/a/b/a/b", "path repeats itself"),
        ("http://h/x/css/css/css/y", "path repeats itself"),
        ("http://h/x/1/x/2/x/3/x/4/x", "path repeats itself"),
        ("http://h/calendar/2199/05", "endless calendar"),
        ("http://h/calendar?year=1850&month=3", "endless calendar"),
        ("http://h/events/?date=2199-01-01", "endless calendar"),
    ],
)
def test_traps_are_seen(url: str, why: str) -> None:
    assert trap(url) == why


@pytest.mark.parametrize(
    "url",
    [
        "http://h/", "http://h/a/b/a/b", "http://h/2199/05/a", "http://h/calendar", "http://h/calendar/12345",
        f"http://h/calendar/{time.gmtime().tm_year}/05", "http://h/a/a/b", "http://h/update/1850",
        "http://h" + "".join(f"/{i}" for i in range(DEEPEST)),
    ],
)  # fmt: skip
def test_honest_urls_are_no_traps(url: str) -> None:
    assert trap(url) == ""

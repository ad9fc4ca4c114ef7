import json

import pytest

from openflywheel.curate._extract.blocks import tree_of
from openflywheel.curate._extract.facts import LONGEST, MOST_DATA, facts


def facts_of(head: str, body: str = "", root: str = "") -> dict[str, str]:
    page = f"<html {root}><head>{head}</head><body>{body}</body></html>"
    return facts(tree_of(page), page)


def linked(said: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(said)}</script>'


@pytest.mark.parametrize(
    ("head", "name", "value"),
    [
        ("<title> A\n page </title>", "title", "A page"),
        ('<title>x</title><meta property="og:title" content="A page">', "title", "A page"),
        ('<meta name="DC.Title" content="A page"><meta property="og:title" content="x">', "title", "A page"),
        ('<meta name="author" content="Ann Lee">', "author", "Ann Lee"),
        ('<meta property="dc:creator" content="Ann Lee">', "author", "Ann Lee"),
        (
            '<meta property="article:published_time" content="2024-01-02T03:04:05+01:00">',
            "published",
            "2024-01-02T03:04:05+01:00",
        ),
        ('<meta name="date" content="2024-01-02">', "published", "2024-01-02"),
        (
            '<meta name="date" content="Tue, 02 Jan 2024 03:04:05 +0000">',
            "published",
            "2024-01-02T03:04:05+00:00",
        ),
        ('<link rel="license" href="https://a.example/licence">', "license", "https://a.example/licence"),
        ('<link rel="canonical" href="https://a.example/x">', "canonical", "https://a.example/x"),
        ('<meta property="og:url" content="https://a.example/x">', "canonical", "https://a.example/x"),
        ('<meta property="og:site_name" content="The Site">', "site", "The Site"),
        ('<meta http-equiv="Content-Language" content="de">', "lang_declared", "de"),
    ],
)
def test_the_head_says(head: str, name: str, value: str) -> None:
    assert facts_of(head)[name] == value


def test_the_language_is_the_roots() -> None:
    assert facts_of("", root='lang="pt-BR"') == {"lang_declared": "pt-BR"}


def test_a_page_that_says_nothing_has_no_facts() -> None:
    assert facts_of("<meta name=author><title></title><link rel=canonical>") == {}


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:author" content="https://facebook.com/ann">',
        '<meta name="date" content="yesterday">',
        '<link rel="canonical" href="/relative">',
        '<link rel="license" href="javascript:alert(1)">',
        '<meta property="og:url" content="file:///etc/passwd">',
    ],
)
def test_what_is_no_name_no_date_and_no_web_address_is_no_fact(head: str) -> None:
    assert facts_of(head) == {}


def test_linked_data_says() -> None:
    said = {
        "@type": "NewsArticle",
        "headline": "A page",
        "author": [{"@type": "Person", "name": "Ann Lee"}, {"name": "Bo Ek"}],
        "datePublished": "2024-01-02",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "publisher": {"name": "The Site"},
    }
    expected = {
        "title": "A page",
        "author": "Ann Lee, Bo Ek",
        "published": "2024-01-02",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "site": "The Site",
    }
    assert (
        facts_of(linked(said)) == facts_of(linked([said])) == facts_of(linked({"@graph": [said]})) == expected
    )


def test_a_picture_in_linked_data_is_not_the_page() -> None:
    assert facts_of(linked({"@type": "ImageObject", "author": "Ann", "license": "https://a.example/l"})) == {}


@pytest.mark.parametrize(
    "said", ["{", "[" * 100_000, '"x"', "null", "[1, null]", '{"@type": "Article", "author": 3}', ""]
)
def test_odd_linked_data_says_nothing(said: str) -> None:
    assert facts_of(f'<script type="application/ld+json">{said}</script>') == {}


def test_very_long_linked_data_is_not_read() -> None:
    assert facts_of(linked({"@type": "Article", "headline": "A", "articleBody": "x" * MOST_DATA})) == {}


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        ('<a rel="author" href="/ann">Ann Lee</a>', "author", "Ann Lee"),
        ('<span itemprop="author"><b itemprop="name">Ann Lee</b></span>', "author", "Ann Lee"),
        ('<time itemprop="datePublished" datetime="2024-01-02">then</time>', "published", "2024-01-02"),
        ('<a rel="license" href="https://a.example/l">l</a>', "license", "https://a.example/l"),
        (
            '<a href="https://creativecommons.org/licenses/by-sa/4.0/">cc</a>',
            "license",
            "https://creativecommons.org/licenses/by-sa/4.0",
        ),
    ],
)
def test_the_body_says(body: str, name: str, value: str) -> None:
    assert facts_of("", body) == {name: value}


def test_several_licences_in_the_body_are_none() -> None:
    links = "".join(
        f'<a href="https://creativecommons.org/licenses/{kind}/4.0/">x</a>' for kind in ("by", "by-sa")
    )
    assert facts_of("", links) == {}


def test_facts_are_short() -> None:
    assert len(facts_of(f"<title>{'x' * 10_000}</title>")["title"]) == LONGEST

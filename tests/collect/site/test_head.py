import pytest

from openflywheel.collect._site.page import Page, read

DATA = '<script type="application/ld+json">%s</script>'
BY = "https://creativecommons.org/licenses/by/4.0/"


def page(html: str) -> Page:
    return read(html.encode(), "https://h.example/a")


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title>a</title><title>b</title>", "a"),
        ("<title> </title><title>b</title>", "b"),
        ("<meta property=og:title content=c>", "c"),
        ("<title>a</title><meta property=og:title content=c>", "a"),
        ("<p>no", ""),
    ],
)
def test_titles(html: str, title: str) -> None:
    assert page(html).title == title


@pytest.mark.parametrize(
    ("html", "lang"),
    [
        ("<html lang=de-AT>", "de-AT"),
        ("<html xml:lang=fr>", "fr"),
        ("<p>", ""),
        ("<html lang>", ""),
        ("<meta http-equiv=Content-Language content=es>", "es"),
        ("<html lang=de><meta name=dc.language content=x>", "de"),
    ],
)
def test_languages(html: str, lang: str) -> None:
    assert page(html).lang == lang


@pytest.mark.parametrize(
    ("html", "date"),
    [
        ("<meta property=article:published_time content=2024-03-05>", "2024-03-05"),
        ("<meta itemprop=datePublished content=2024-03-05T10:00:00+01:00>", "2024-03-05T10:00:00+01:00"),
        ("<meta name=DC.Date.Issued content=2024-03-05>", "2024-03-05"),
        (
            "<meta name=date content=soon><meta name=pubdate content='Tue, 05 Mar 2024 10:00:00 GMT'>",
            "2024-03-05T10:00:00+00:00",
        ),
        (DATA % '{"@type":"Article","datePublished":"2024-03-05"}', "2024-03-05"),
        ("<meta name=date content=2024-99-99>", None),
    ],
)
def test_dates_of_publication(html: str, date: str | None) -> None:
    assert page(html).meta.get("published") == date


@pytest.mark.parametrize(
    ("html", "license"),
    [
        (f"<link rel=license href={BY}>", "CC-BY-4.0"),
        (f"<a rel='license nofollow' href={BY}>CC</a>", "CC-BY-4.0"),
        ("<a rel=license href=/terms>Terms</a>", "https://h.example/terms"),
        (f"<a rel=license href={BY}>a</a><a rel=license href=/b>b</a>", ""),  # whose is which nobody can say
        (f"<link rel=license href={BY}><a rel=license href=/b>a picture's</a>", "CC-BY-4.0"),
        (
            "<meta name=dcterms.license content='https://creativecommons.org/publicdomain/zero/1.0/'>",
            "CC0-1.0",
        ),
        ("<meta name=dc.rights content='CC BY-SA 4.0'>", "CC-BY-SA-4.0"),
        ("<meta name=dc.rights content='(c) 2024 us'>", ""),
        (DATA % f'{{"@type":"WebPage","license":"{BY}"}}', "CC-BY-4.0"),
        (DATA % f'{{"@graph":[{{"@type":"Person"}},{{"license":{{"@id":"{BY}"}}}}]}}', "CC-BY-4.0"),
        (DATA % f'[{{"license":["{BY}"]}}]', "CC-BY-4.0"),
        (DATA % f'{{"@type":"ImageObject","license":"{BY}"}}', ""),
        ('<script type="application/ld+json">{"license":</script>', ""),
        ('<script type="application/ld+json">' + "[" * 100_000 + "</script>", ""),
        ("<p>no", ""),
    ],
)
def test_licenses(html: str, license: str) -> None:
    assert page(html).license == license


def test_long_linked_data_is_read_past_the_marks_that_bound_it() -> None:
    data = f'{{"@type":"Article","articleBody":"{"word " * 5_000}","license":"{BY}"}}'
    assert page(DATA % f"{data}").license == "CC-BY-4.0"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<meta name=robots content='noindex,noai, noimageai'>", ("noai", "noimageai", "noindex")),
        ("<meta name=ROBOTS content=None>", ("nofollow", "noindex", "none")),
        ("<meta name=openflywheel content=noindex>", ("noindex",)),
        ("<meta name=googlebot content=noindex>", ()),
        ("<meta name=robots content=all><meta name=robots content=noindex>", ("all", "noindex")),
        ("<meta name=tdm-reservation content=1>", ("tdm-reservation",)),
        ("<meta name=tdm-reservation content=0>", ()),
    ],
)
def test_what_it_asks_of_robots(html: str, said: tuple[str, ...]) -> None:
    assert page(html).directives == said


def test_an_author_is_kept_apart() -> None:
    found = page("<meta name=author content='Ann Lee'><meta name=description content=d>")
    assert (found.author, found.meta) == ("Ann Lee", {"description": "d"})


def test_feeds_in_order() -> None:
    found = page(
        "<link rel=alternate type=application/atom+xml href=/a>"
        "<link rel='ALTERNATE home' type=application/feed+json href=b>"
        "<link rel=alternate type='application/rss+xml; x' href=/a>"
        "<link rel=stylesheet type=application/rss+xml href=/c>"
        "<link rel=alternate type=application/rss+xml href=javascript:x>"
    )
    assert found.feeds == ("https://h.example/a", "https://h.example/b")


@pytest.mark.parametrize(
    "html", ["<link rel=canonical href=javascript:x>", "<link rel=canonical>", "<base><link>", "<meta>"]
)
def test_empty_and_wrong_values_say_nothing(html: str) -> None:
    found = page(html)
    assert (found.canonical, found.meta, found.license, found.author) == ("", {}, "", "")

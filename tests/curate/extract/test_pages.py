from pathlib import Path

import pytest

from openflywheel.curate._extract.pages import Extracted, Tier, read, version

PROSE = (
    "The flywheel stores what it learns from every answer, and each turn makes the next one a little easier. "
    "It was first described in 1901, when engineers measured how much energy a wheel of steel can keep. "
)
MENU = '<ul class="nav">' + "".join(f'<li><a href="/{n}">Section {n}</a></li>' for n in range(12)) + "</ul>"
RELATED = (
    '<div class="related"><h3>More stories</h3>'
    + "".join(f'<p><a href="/s{n}">Another story number {n} that you may like</a></p>' for n in range(6))
    + "</div>"
)
COMMENTS = (
    '<div id="comments"><h3>3 Comments</h3>'
    + "<div class='comment'><p>First! Great.</p></div>" * 3
    + "</div>"
)
CODE = "<pre>def turn(wheel):\n    return wheel + 1</pre>"
TABLE = "<table><tr><th>Year</th><th>Energy</th></tr><tr><td>1901</td><td>12 kJ</td></tr></table>"
FOOTER = (
    '<footer class="footer"><p>Copyright 2024. All rights reserved. <a href="/p">Privacy</a></p></footer>'
)
COOKIES = '<div class="cookie-banner"><p>We use cookies. <button>Accept</button></p></div>'


def article(*extra: str) -> bytes:
    inner = f"<h1>Wheels of steel</h1>{f'<p>{PROSE}</p>' * 4}{''.join(extra)}<p>{PROSE}</p>"
    return (
        f'<html lang="en"><head><title>Wheels</title></head><body>{COOKIES}<header>{MENU}</header>'
        f'<div id="content"><article>{inner}</article>{RELATED}{COMMENTS}</div>{FOOTER}</body></html>'
    ).encode()


@pytest.mark.parametrize("tier", ["careful", "fast"])
def test_the_article_stays_and_what_is_around_it_goes(tier: Tier) -> None:
    (page,) = read([article(CODE, TABLE)], tier)
    assert page.text.startswith("# Wheels of steel\n\nThe flywheel stores")
    assert page.text.count("first described in 1901") == 5
    assert "```\ndef turn(wheel):\n    return wheel + 1\n```" in page.text
    assert "| Year | Energy |\n| --- | --- |\n| 1901 | 12 kJ |" in page.text
    for noise in ("Section 3", "Another story", "First!", "Copyright", "cookies", "Accept"):
        assert noise not in page.text
    assert page.meta == {"title": "Wheels", "lang_declared": "en"}
    assert page.confidence > 0.8


def test_a_page_reads_alike_in_any_company() -> None:
    pages = [article(CODE), b"", article(TABLE), b"<p>short", article(), b"<ul><li><a href=/>x</a></ul>"] * 15
    together = read(pages, "careful")
    assert together == [read([page], "careful")[0] for page in pages]


def test_the_language_does_not_matter() -> None:
    chinese = (
        "\u98de\u8f6e\u50a8\u5b58\u80fd\u91cf\uff0c\u6bcf\u4e00\u8f6e\u90fd\u8ba9\u4e0b\u4e00\u8f6e\u66f4\u5bb9\u6613\u3002"
        * 6
    )
    (page,) = read([f"<body>{MENU}<div>{f'<p>{chinese}</p>' * 5}</div>{FOOTER}</body>".encode()], "careful")
    assert page.text == "\n\n".join([chinese] * 5)


@pytest.mark.parametrize(
    "content", [b"", b"   ", b"<html></html>", b"<script>x</script>", b"<!-- x -->", b"<img src=x>"]
)
def test_a_page_without_text_has_none(content: bytes) -> None:
    assert read([content], "careful") == [Extracted()]


def test_nothing_to_read_is_nothing() -> None:
    assert read([], "fast") == []


def test_a_page_of_100_000_nested_elements_is_read() -> None:
    (page,) = read([b"<div>" * 100_000 + f"<p>{PROSE}</p>".encode()], "careful")
    assert "flywheel stores" in page.text


def test_the_version_changes_with_the_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = version()
    (tmp_path / "trees").write_bytes(b"others")
    monkeypatch.setattr("openflywheel.curate._extract.pages.FILE", tmp_path / "trees")
    assert version() != before

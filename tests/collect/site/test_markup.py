import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from openflywheel.collect._site.markup import (
    FEW_TAGS,
    LONGEST_TAG,
    MOST_BYTES,
    MOST_TAGS,
    is_html,
    markup,
)

TEXT = "Grüße aus Köln: 你好"


@pytest.mark.parametrize(
    ("mime", "body", "said"),
    [
        ("text/html", b"anything", True),
        ("text/html", b"", True),
        ("application/xhtml+xml", b"<p>", True),
        ("text/html", b"%PDF-1.7", False),
        ("text/html", b"\x89PNG\r\n", False),
        ("text/html", b"\x1f\x8b\x08", False),
        ("", b"<!DOCTYPE html><p>", True),
        ("", b"\n <!-- x --> <HTML>", True),
        ("", b"\xef\xbb\xbf<html>", True),
        ("application/octet-stream", b"<?xml version='1.0'?><html>", True),
        ("", b"hello", False),
        ("", b"", False),
        ("", b"<?xml version='1.0'?><rss>", False),
        ("text/plain", b"<html>", False),
        ("application/pdf", b"<p>", False),
        ("", b"<divine>", False),
    ],
)
def test_what_is_html(mime: str, body: bytes, said: bool) -> None:
    assert is_html(mime, body) is said


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (TEXT.encode(), ""),
        (TEXT.encode(), "iso-8859-1"),  # valid UTF-8 is UTF-8, whatever the server says
        (b"<meta charset=gb2312>" + TEXT.encode(), ""),
        (b"\xef\xbb\xbf" + TEXT.encode(), ""),
        (TEXT.encode("utf-16"), ""),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (b"<meta charset=gb18030>" + TEXT.encode("gb18030"), ""),
        (TEXT.encode("gb18030"), "gb18030"),
    ],
)
def test_every_encoding_is_found(body: bytes, charset: str) -> None:
    assert (
        markup(body, charset).removeprefix("<meta charset=gb2312>").removeprefix("<meta charset=gb18030>")
        == TEXT
    )


def test_iso_2022_jp_is_ascii_with_escapes() -> None:
    assert markup("日本語".encode("iso-2022-jp"), "iso-2022-jp") == "日本語"


@pytest.mark.parametrize(
    "charset", ["hex", "rot13", "base64", "no-such", "utf-8; x", "\x00", "idna", "punycode"]
)
def test_a_charset_that_is_none_of_text_is_no_error(charset: str) -> None:
    assert "caf" in markup(b"caf\xe9", charset)
    assert "caf" in markup(b'<meta charset="' + charset.encode() + b'">caf\xe9')


def test_the_first_2_mb_are_read_and_a_character_cut_in_two_harms_nothing() -> None:
    body = b"x" + "é".encode() * MOST_BYTES
    found = markup(body).replace("<wbr>", "")
    assert len(found) == MOST_BYTES // 2
    assert set(found) == {"x", "é"}


def test_the_first_30_000_tags_are_read() -> None:
    assert markup(b"<p>a" * (MOST_TAGS + 50)).count("<") == MOST_TAGS - 1
    assert markup(b"<p>a" * 5) == "<p>a" * 5


def test_a_long_text_keeps_its_words() -> None:
    text = "word " * 10_000
    tree = LexborHTMLParser(markup(f"<p>{text}</p>".encode()))
    assert tree.text() == text


def test_a_long_script_value_is_whole_but_for_a_mark() -> None:
    found = markup(b"<script>" + b"x" * 20_000 + b"</script>")
    assert found.replace("<wbr>", "") == "<script>" + "x" * 20_000 + "</script>"
    assert max(map(len, found.split("<"))) <= LONGEST_TAG


def test_formatting_goes_where_there_are_many_tags_alone() -> None:
    few = b"<p><b>x</b><font color=red>y</font></p>"
    assert markup(few) == few.decode()
    many = few + b"<p>z</p>" * FEW_TAGS
    assert markup(many).startswith("<p><wbr>x<wbr><wbr>y<wbr></p>")


def test_what_only_begins_like_formatting_stays() -> None:
    tags = b"<body><br><base><iframe></iframe><section><summary><textarea></textarea><ul><title>"
    assert markup(tags + b"<p>" * FEW_TAGS).startswith(tags.decode())


HOSTILE = {
    "nested": b"<div>" * 1_000_000,
    "nested lists": b"<ul><li>" * 500_000,
    "links and blocks": b"<a href=x><div>" * 300_000,
    "attributes": b"<a " + b" ".join(b"a%d=1" % i for i in range(5_000_000)) + b">",
    "attributes of many roots": b"".join(b"<html a%d=1 b%d=2>" % (i, i) for i in range(500_000)),
    "roots that never end": (b"<html " + b"x" * 54) * 30_000,
    "formatting that never ends": (b"<b " + b"x" * 57) * 30_000,
    "unclosed formatting": b"<p>"
    + b"".join(b"<font color=%d>" % i for i in range(10_000))
    + b"<p>x</p>" * 10_000,
    "formatting within formatting": b"<<b>font color=1>" * 20_000 + b"<p>x</p>" * 10_000,
    "one attribute of 50 MB": b"<a href='" + b"x" * 50_000_000 + b"'>",
    "comments that never end": b"<!--" * 500_000,
    "cdata and foreign": b"<svg><![CDATA[" * 200_000,
    "tables": b"<table><tr><td>" * 300_000,
    "NUL": b"<p>a\x00b\x00</p>" * 100_000,
    "angles": b"<" * 5_000_000,
    "entities": b"&lt;" * 1_000_000,
    "headers": b"<header><div>" * 300_000,
    "selects": b"<select><option>" * 200_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_no_page_takes_minutes_or_gigabytes(name: str) -> None:
    from resource import RUSAGE_SELF, getrusage

    from openflywheel.collect._site.page import read

    before, start = getrusage(RUSAGE_SELF).ru_maxrss, time.process_time()
    page = read(HOSTILE[name], "http://h/")
    assert page.url == "http://h/"
    assert time.process_time() - start < 30  # 3 s and less here; without bounds minutes to hours
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 400_000  # KB; without bounds up to 10 GB

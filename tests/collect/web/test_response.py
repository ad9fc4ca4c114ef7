"""A reply's type, charset, text and JSON."""

import pytest

from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.response import Response


def response(body: bytes = b"", kind: str | None = "text/html", status: int = 200) -> Response:
    headers = {} if kind is None else {"content-type": kind}
    return Response(url="http://a.com/?key=s3cret", status=status, headers=headers, body=body, seconds=0.1)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (204, True), (304, False), (404, False)])
def test_ok_is_a_status_of_success(status, ok):
    assert response(status=status).ok is ok


@pytest.mark.parametrize(
    ("kind", "mime", "charset"),
    [
        ("text/html", "text/html", ""),
        ("Text/HTML; Charset=UTF-8", "text/html", "utf-8"),
        ('text/html;charset="iso-8859-1"', "text/html", "cp1252"),
        ("application/json ;x=y", "application/json", ""),
        ("text/html; charset=nonsense", "text/html", ""),
        ("", "", ""),
        (None, "", ""),
    ],
)
def test_media_type_and_charset_are_read_from_the_header(kind, mime, charset):
    assert (response(kind=kind).mime, response(kind=kind).charset) == (mime, charset)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", "grün".encode()),
        ("text/html; charset=utf-16", "\ufeffgrün".encode("utf-16-le")),
        ("text/html; charset=latin-1", "grün".encode("latin-1")),
        ("text/html; charset=latin-1", "\ufeffgrün".encode()),
        ("text/plain; charset=koi8-r", "grün".replace("ü", "ж").encode("koi8-r")),
        ("text/plain", "\ufeffgrün".encode()),
        ("text/plain", "grün".encode()),
    ],
)
def test_text_is_decoded_by_mark_then_header_then_utf8(kind, body):
    assert response(body, kind).text.replace("ж", "ü") == "grün"


def test_markup_names_its_own_charset_and_nothing_else_does():
    body = '<meta charset="windows-1251">жук'.encode("cp1251")
    assert response(body).text.endswith("жук")
    assert response(body, None).text.endswith("жук")
    assert not response(body, "text/plain").text.endswith("жук")
    xml = '<?xml version="1.0" encoding="iso-8859-2"?><a>łuk</a>'.encode("iso-8859-2")
    assert "łuk" in response(xml, "application/rss+xml").text


def test_what_cannot_be_decoded_is_replaced():
    assert response(b"a\xffb", "text/plain").text == response(b"a\xffb").text == "a\ufffdb"


@pytest.mark.parametrize("body", [b'{"a": [1, null]}', b'\xef\xbb\xbf{"a": [1, null]}'])
def test_json_is_read(body):
    assert response(body, "application/json").json() == {"a": [1, None]}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": 1', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_named_without_the_keys_in_its_url(body):
    with pytest.raises((FetchFailed, RecursionError)) as failed:
        response(body, "application/json").json()
    assert "s3cret" not in str(failed.value)

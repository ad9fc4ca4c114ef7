"""What a redirect asks for, and what it may not learn."""

import pytest

from openflywheel.collect._web.address import Guard, read
from openflywheel.collect._web.errors import FetchFailed
from openflywheel.collect._web.redirect import Asked, follow

USUAL = {"user-agent": "openflywheel", "accept": "*/*", "accept-encoding": "gzip"}


async def nobody(host: str, port: int) -> tuple[str, ...]:
    return ()


def asked(url: str = "https://a.com/x/y?z", method: str = "GET", body: bytes = b"", **headers: str) -> Asked:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked(target=read(url), method=method, headers=USUAL | named, body=body)


def followed(first: Asked, location: str, status: int = 302, own: tuple[str, ...] = ()) -> Asked:
    return follow(first, status, location, Guard(own, nobody))


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://a.com/b"),
        ("b", "https://a.com/x/b"),
        ("?b", "https://a.com/x/y?b"),
        ("../../..", "https://a.com/"),
        ("//b.com/c", "https://b.com/c"),
        ("https://b.com:444", "https://b.com:444/"),
        ("#top", "https://a.com/x/y?z"),
        ("/grün", "https://a.com/gr%C3%BCn"),
        ("/gr%C3%BCn und blau", "https://a.com/gr%C3%BCn%20und%20blau"),
    ],
)
def test_a_location_is_relative_to_what_was_asked(location, url):
    arrived = location.encode().decode("latin-1")  # as wire.py reads headers
    assert followed(asked(), arrived).target.url == url


def test_bytes_that_are_no_utf8_are_replaced():
    assert followed(asked(), "/gr\xfcn").target.path == "/gr%EF%BF%BDn"


@pytest.mark.parametrize(
    ("status", "method", "becomes"),
    [
        (301, "GET", "GET"),
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (301, "HEAD", "HEAD"),
        (301, "PUT", "PUT"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
    ],
)
def test_methods_change_as_the_fetch_standard_says(status, method, becomes):
    body = b"{}" if method in ("POST", "PUT") else b""
    new = followed(asked(method=method, body=body, content_type="application/json"), "/b", status)
    assert new.method == becomes
    kept = becomes == method
    assert (new.body == body, "content-type" in new.headers) == (kept or not body, kept)


SECRETS = {"authorization": "Bearer s", "cookie": "a=b", "x_api_key": "k", "x_subscription_token": "t"}


def test_secrets_stay_with_their_origin():
    same = followed(asked(**SECRETS), "/b")
    assert same.headers.keys() - USUAL.keys() == {name.replace("_", "-") for name in SECRETS}
    for elsewhere in ("https://b.com/", "https://a.com:444/", "https://x.a.com/"):
        assert followed(asked(**SECRETS), elsewhere).headers == USUAL


def test_harmless_headers_go_along():
    new = followed(asked(accept_language="de", if_none_match='"1"'), "https://b.com/")
    assert new.headers == USUAL | {"accept-language": "de", "if-none-match": '"1"'}


@pytest.mark.parametrize("name", SECRETS)
def test_a_request_with_a_secret_is_not_sent_on_in_the_clear(name):
    with pytest.raises(FetchFailed) as failed:
        followed(asked(**{name: "s"}), "http://a.com/")
    assert failed.value.reason == "redirect not allowed"


def test_one_without_may_be():
    assert followed(asked(), "http://a.com/").target.url == "http://a.com/"
    assert followed(asked("http://a.com/", **SECRETS), "https://a.com/").headers == USUAL


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1/", "file:///etc/passwd", "http://a@b.com/", "//[::1]/", "//[x"]
)
def test_a_redirect_is_judged_like_any_url(location):
    with pytest.raises(FetchFailed) as failed:
        followed(asked(), location)
    assert failed.value.reason == "address not allowed"


def test_a_stranger_cannot_lead_to_a_host_of_ones_own():
    own = ("wiki.internal", "127.0.0.1:80")
    for location in ("http://wiki.internal/", "http://127.0.0.1/"):
        with pytest.raises(FetchFailed, match="stranger"):
            followed(asked(), location, own=own)
    assert followed(asked("http://wiki.internal/"), "http://127.0.0.1/", own=own).target.host == "127.0.0.1"
    assert followed(asked("http://wiki.internal/"), "http://b.com/", own=own).target.host == "b.com"

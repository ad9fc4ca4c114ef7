"""Whole fetches: redirects, further tries, the caller's two words, cancellation."""

import asyncio
import time
from email.utils import formatdate
from itertools import count

import pytest

from openflywheel.collect._web import retry
from openflywheel.collect._web.errors import FetchFailed

from .conftest import reply


def moved(location: str, status: str = "302 Found") -> bytes:
    return reply(b"moved", status, location=location)


def status(text: str, **headers: object) -> bytes:
    return reply(b"failed", text, **headers)


def reason(web, url: str) -> str:
    with pytest.raises(FetchFailed) as failed:
        web.get(url)
    return failed.value.reason


def paths(evil) -> list[str]:
    return [request.split()[1].decode() for request in evil.requests]


def test_redirects_are_followed_on_the_same_connection(web, evil):
    response = web.get(evil.says(moved("/a"), moved("b", "308 Permanent Redirect"), reply(b"there")))
    assert (response.status, response.body, response.url) == (200, b"there", f"{evil.url}/b")
    assert paths(evil) == ["/", "/a", "/b"]
    assert evil.connections == 1


def test_ten_redirects_are_followed_and_no_more(web, evil):
    numbers = count(1)
    evil.says(lambda connection, request: connection.sendall(moved(f"/{next(numbers)}")))
    assert reason(web, evil.url) == "too many redirects"
    assert len(evil.requests) == 11
    evil.says(*(moved(f"/x{i}") for i in range(10)), reply(b"there"))
    assert web.get(evil.url).body == b"there"


def test_a_loop_is_seen_at_once(web, evil):
    assert reason(web, evil.says(moved("/a"), moved("/b"), moved("/a#again"))) == "redirect loop"
    assert paths(evil) == ["/", "/a", "/b"]


def test_a_redirect_to_itself_is_a_loop_but_a_post_may_come_back_as_a_get(web, evil):
    assert reason(web, evil.says(moved("/"))) == "redirect loop"
    evil.says(moved("/", "303 See Other"), reply(b"done"))
    assert web.post(evil.url, b"{}").body == b"done"
    assert [r.split()[0] for r in evil.requests[-2:]] == [b"POST", b"GET"]


@pytest.mark.parametrize(
    "location", ["http://127.1/", "http://169.254.169.254/", "file:///etc/passwd", "http://a@b/"]
)
def test_a_redirect_to_what_is_not_allowed_is_refused(web, evil, location):
    assert reason(web, evil.says(moved(location))) == "address not allowed"


@pytest.mark.parametrize("text", ["300 Multiple Choices", "304 Not Modified"])
def test_other_statuses_with_a_location_are_answers(web, evil, text):
    assert web.get(evil.says(reply(b"", text, location="/x"))).status == int(text[:3])


def test_a_redirect_that_leads_nowhere_is_an_answer(web, evil):
    assert web.get(evil.says(status("302 Found"))).body == b"failed"


@pytest.mark.parametrize("text", ["429 Too Many Requests", "500 x", "502 x", "503 x", "504 x"])
def test_failures_that_pass_are_asked_again(web, evil, text):
    assert web.get(evil.says(status(text), status(text), reply(b"at last"))).body == b"at last"
    assert evil.connections == 1


def test_after_three_more_tries_the_failure_is_the_answer(web, evil):
    response = web.get(evil.says(status("503 Service Unavailable", retry_after=0)))
    assert (response.status, response.body, len(evil.requests)) == (503, b"failed", 4)


def test_tries_are_counted_over_all_redirects_of_a_fetch(web, evil):
    bad = status("503 x")
    response = web.get(evil.says(bad, bad, moved("/a"), bad, bad))
    assert response.status == 503
    assert paths(evil) == ["/", "/", "/", "/a", "/a"]


@pytest.mark.parametrize("text", ["400 x", "401 x", "403 x", "404 x", "410 x", "501 x"])
def test_a_refusal_is_an_answer(web, evil, text):
    response = web.get(evil.says(status(text)))
    assert (response.status, response.ok, len(evil.requests)) == (int(text[:3]), False, 1)


def test_a_post_is_not_repeated_when_it_may_have_been_done(web, evil):
    assert web.post(evil.says(status("500 x")), b"{}").status == 500
    with pytest.raises(FetchFailed):
        web.post(evil.says(lambda connection, request: connection.close()), b"{}")
    assert len(evil.requests) == 2
    assert web.post(evil.says(status("429 x"), reply(b"done")), b'{"a": 1}').body == b"done"
    assert [request.endswith(b'{"a": 1}') for request in evil.requests[2:]] == [True, True]


@pytest.mark.parametrize("said", ["1", "date"])
def test_retry_after_is_waited_for(web, evil, said):
    when = formatdate(time.time() + 1.5, usegmt=True) if said == "date" else said
    start = time.monotonic()
    assert web.get(evil.says(status("429 x", retry_after=when), reply(b"ok"))).ok
    assert time.monotonic() - start >= 0.4  # a date has whole seconds


def test_a_server_that_asks_for_more_than_a_minute_is_not_asked_again(web, evil):
    response = web.get(evil.says(status("429 x", retry_after=61)))
    assert (response.status, response.headers["retry-after"], len(evil.requests)) == (429, "61", 1)


def test_waiting_ends_at_once_when_it_is_cancelled(web, evil):
    evil.says(status("503 x", retry_after=50))

    async def scene() -> float:
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(web.fetch(evil.url), 0.3)
        return time.monotonic() - start

    assert web.run(scene()) < 25
    assert len(evil.requests) == 1


def test_the_caller_is_told_of_each_redirect_and_may_refuse_it(web, evil):
    told = []

    async def redirect(url: str) -> None:
        told.append(url)
        if url.endswith("/b"):
            raise FetchFailed("robots.txt", url)

    evil.says(moved("/a"), moved("/b"))
    with pytest.raises(FetchFailed, match=r"robots\.txt"):
        web.run(web.fetch(evil.url, redirect=redirect))
    assert told == [f"{evil.url}/a", f"{evil.url}/b"]
    assert paths(evil) == ["/", "/a"]


def test_the_caller_may_refuse_a_body_by_its_head_and_hears_of_none_that_is_passed_over(web, evil):
    heads = []

    def accept(status: int, headers: dict[str, str]) -> None:
        heads.append((status, headers["content-type"]))
        if headers["content-type"] != "text/html":
            raise FetchFailed("wrong type", evil.url)

    evil.says(
        moved("/a"),
        status("503 x"),
        reply(b"<p>", content_type="text/html"),
        reply(b"\x89", content_type="image/png"),
    )
    assert web.run(web.fetch(evil.url, accept=accept)).body == b"<p>"
    with pytest.raises(FetchFailed, match="wrong type"):
        web.run(web.fetch(evil.url, accept=accept))
    assert heads == [
        (200, "text/html"),
        (200, "image/png"),
    ]


def test_replacing_a_kept_connection_that_the_server_closed_is_no_further_try(web, evil, monkeypatch):
    monkeypatch.setattr(retry, "MOST", 0)
    web.get(evil.url)
    evil.open[0].shutdown(2)
    assert web.get(evil.url).body == b"hello"

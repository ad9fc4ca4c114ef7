"""A request as it comes in."""

import asyncio
import json

import pytest

from openflywheel.serve._gateway import intake
from openflywheel.serve._gateway.surfaces import CHAT, Refusal


def received(*parts: bytes, headers=None, largest=100, gone=False):
    """What read_body makes of a body in parts."""
    ends = [{"type": "http.request", "body": p, "more_body": i < len(parts) - 1} for i, p in enumerate(parts)]
    if gone:
        ends = [{**end, "more_body": True} for end in ends] + [{"type": "http.disconnect"}]
    messages = iter(ends)

    async def receive():
        return next(messages)

    return asyncio.run(intake.read_body(receive, headers or {}, largest))


def read(body, headers=None, **fields):
    raw = body if isinstance(body, bytes) else json.dumps({"model": "m", **body}).encode()
    return intake.read(CHAT, raw, headers or {}, None, lambda person: f"key of {person}", 0.0)


def test_a_body_in_parts():
    assert received(b"whole") == b"whole"
    assert received(b"a", b"b", b"", b"c") == b"abc"
    assert received(b"x" * 100) == b"x" * 100


@pytest.mark.parametrize("parts", [(b"x" * 101,), (b"x" * 60, b"x" * 60)])
def test_a_body_that_is_too_large(parts):
    with pytest.raises(Refusal, match="100 bytes") as raised:
        received(*parts)
    assert raised.value.status == 413


def test_a_body_that_says_it_is_too_large_is_not_read():
    with pytest.raises(Refusal, match="100 bytes"):
        received(headers={b"content-length": b"101"})


@pytest.mark.parametrize("parts", [(), (b"half",)])
def test_a_client_that_goes_away(parts):
    with pytest.raises(Refusal, match="went away"):
        received(*parts, gone=True)


def test_a_request():
    found = read({"stream": True, "messages": [{"role": "user", "content": "hi"}], "user": "ann"})
    assert found.stream
    assert found.turns[0].text == "hi"
    assert (found.subject, found.episode) == ("key of ann", "")
    assert found.id.replace("-", "")[:12] == f"{int(found.at * 1000):012x}"


def test_headers_stand_above_the_body():
    headers = {b"x-flywheel-subject": "Zoë".encode(), b"x-flywheel-episode": b"talk"}
    found = read({"user": "ann", "flywheel": {"episode": "other"}}, headers)
    assert (found.subject, found.episode) == ("key of Zoë", "talk")
    assert read({"flywheel": {"episode": "other"}}).episode == "other"
    assert read({}, {b"x-flywheel-subject": "Zoë".encode("latin-1")}).subject == "key of Zoë"


def test_what_a_provider_may_know_of_the_client():
    headers = {
        b"authorization": b"Bearer secret", b"x-api-key": b"secret", b"cookie": b"secret", b"host": b"here",
        b"anthropic-beta": b"new", b"traceparent": b"00-1", b"user-agent": b"\xe9", b"x-other": b"secret",
    }  # fmt: skip
    assert read({}, headers).forwarded() == {
        "anthropic-beta": "new", "traceparent": "00-1", "user-agent": "é",
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model": 1}'])
def test_what_is_no_request(body):
    with pytest.raises(Refusal, match="no chat request") as raised:
        read(body)
    assert raised.value.status == 400


def test_a_compressed_body():
    with pytest.raises(Refusal, match="'gzip', send it plain"):
        read(b"\x1f\x8b", {b"content-encoding": b"gzip"})


def test_half_a_surrogate_pair_is_mended():
    found = read(rb'{"model": "m", "messages": [{"role": "user", "content": "a\ud83d"}]}')
    assert found.turns[0].text == "a\ufffd"
    assert rb"\ufffd" in found.body

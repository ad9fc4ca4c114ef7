"""One provider over HTTP: places, failures, headers."""

import asyncio

import pytest

from openflywheel.serve._upstream.client import AttemptFailed, Upstream
from openflywheel.serve.providers import Breaker, Provider

BODY = b'{"model": "small", "messages": [{"role": "user", "content": "hi"}]}'
PATH = "/chat/completions"


def using(fake, work, **settings):
    """The result of `work(upstream)` in an event loop of its own."""

    async def run():
        upstream = Upstream("up", Provider(url=settings.pop("url", fake.url), **settings))
        try:
            return await work(upstream)
        finally:
            upstream.close()

    return asyncio.run(run())


async def post(upstream):
    reply = await upstream.post(PATH, BODY, {}, "small")
    return reply.status, await reply.read()


def test_a_request(fake):
    status, body = using(fake, post, key="sk-1", headers={"x-team": "a"})
    assert status == 200
    assert b"Echo: hi" in body
    [seen] = fake.requests()
    assert seen.headers["x-team"] == "a"
    assert seen.headers["content-type"] == "application/json"
    assert "authorization" in seen.headers


def test_anthropics_headers(fake):
    fake.script({"keys": ["sk-1"]})
    using(fake, post, key="sk-1", dialect="anthropic")
    [seen] = fake.requests()
    assert "x-api-key" in seen.headers
    assert "authorization" not in seen.headers
    assert seen.headers["anthropic-version"]


def test_without_a_key_none_is_sent(fake):
    using(fake, post)
    assert not {"authorization", "x-api-key"} & fake.requests()[0].headers.keys()


def test_the_clients_version_stands_above_ours(fake):
    async def work(upstream):
        reply = await upstream.post(PATH, BODY, {"anthropic-version": "2030-01-01"}, "m")
        await reply.read()

    using(fake, work, dialect="anthropic")
    assert fake.requests()[0].headers["anthropic-version"] == "2030-01-01"


@pytest.mark.parametrize(
    ("url", "said"), [("http://127.0.0.1:9", "Connect"), ("http://no.invalid", "gaierror")]
)
def test_nobody_is_there(fake, url, said):
    with pytest.raises(AttemptFailed, match=said) as raised:
        using(fake, post, url=url)
    attempt = raised.value.attempt
    assert raised.value.retryable
    assert (attempt.provider, attempt.model, attempt.status) == ("up", "small", 0)
    assert attempt.error
    assert attempt.seconds >= 0


def test_silence(fake):
    fake.script({"rules": [{"hang": True}]})
    with pytest.raises(AttemptFailed, match="TimeoutError"):
        using(fake, post, timeout=0.1)


@pytest.mark.parametrize(
    ("status", "opens"), [(500, True), (503, True), (408, True), (429, False), (404, False)]
)
def test_what_opens_the_circuit(fake, status, opens):
    fake.script({"rules": [{"status": status}]})

    async def work(upstream):
        await post(upstream)
        return upstream.circuit.open

    assert using(fake, work, breaker=Breaker(failures=1, pause=60)) is opens


def test_an_open_circuit_refuses_at_once(fake):
    async def work(upstream):
        upstream.circuit.failed()
        await upstream.slot("small")

    with pytest.raises(AttemptFailed, match="left alone") as raised:
        using(fake, work, breaker=Breaker(failures=1, pause=60))
    assert not raised.value.retryable


def test_places_are_given_out_given_back_and_waited_for(fake):
    async def work(upstream):
        await upstream.slot("small")
        assert upstream.running == 1
        waiting = asyncio.ensure_future(upstream.slot("small"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        upstream.release()
        await waiting
        assert upstream.running == 1
        upstream.release()
        return upstream.running

    assert using(fake, work, concurrency=1, queue=30) == 0


def test_a_queue_that_takes_too_long(fake):
    async def work(upstream):
        await upstream.slot("small")
        with pytest.raises(AttemptFailed, match="1 requests are running"):
            await upstream.slot("small")
        upstream.release()
        await upstream.slot("small")
        return upstream.running

    assert using(fake, work, concurrency=1, queue=0.02) == 1


def test_its_models(fake):
    async def work(upstream):
        return await (await upstream.get("/models")).read()

    assert b"fake-small" in using(fake, work)

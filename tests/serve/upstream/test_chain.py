"""One target after another until an answer begins."""

import asyncio

import pytest

from openflywheel.serve._dialects import Untranslatable
from openflywheel.serve._upstream.chain import Chain, NoAnswer, Prepared, Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.providers import Breaker, Provider


def prepared(target: Target, stream: bool = False) -> Prepared:
    if target.model == "unsayable":
        raise Untranslatable("that cannot be said here")
    more = b', "stream": true' if stream else b""
    body = b'{"model": "%s", "messages": [{"role": "user", "content": "hi"}]%s}'
    return Prepared("/chat/completions", body % (target.model.encode(), more), {})


def reach(fake, *models, retries=0, share=0.2, stream=False, **settings):
    """(chain, reached or NoAnswer, places still taken)."""

    async def run():
        upstream = Upstream("up", Provider(url=fake.url, **settings))
        chain = Chain([Target(upstream, m) for m in models], retries, share, stream=stream)
        try:
            try:
                return chain, await chain.reach(lambda target: prepared(target, stream)), upstream.running
            except NoAnswer as error:
                return chain, error, upstream.running
        finally:
            upstream.close()

    return asyncio.run(run())


def statuses(chain):
    return [(a.model, a.status) for a in chain.attempts]


def test_the_first_answers(fake):
    chain, reached, taken = reach(fake, "a", "b")
    assert statuses(chain) == [("a", 200)]
    assert b"Echo: hi" in reached.body
    assert not reached.live
    assert taken == 0


def test_a_stream_keeps_its_place_until_it_is_given_back(fake):
    _, reached, taken = reach(fake, "a", stream=True)
    assert reached.live
    assert reached.body.startswith(b"data: ")
    assert taken == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_our_fault_there_may_not_be_one_elsewhere(fake, status):
    fake.script({"rules": [{"model": "a", "status": status}]})
    chain, reached, _ = reach(fake, "a", "b", retries=3)
    assert statuses(chain) == [("a", status), ("b", 200)]
    assert reached.target.model == "b"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_the_clients_fault_is_told_at_once(fake, status):
    fake.script({"rules": [{"status": status}]})
    chain, reached, taken = reach(fake, "a", "b", retries=3)
    assert statuses(chain) == [("a", status)]
    assert reached.response.status == status
    assert taken == 0


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_what_may_pass_is_tried_again(fake, status):
    fake.script({"rules": [{"times": 1, "status": status, "retry_after_ms": 1}]})
    chain, reached, _ = reach(fake, "a", retries=1)
    assert statuses(chain) == [("a", status), ("a", 200)]
    assert reached.response.status == 200


def test_who_asks_to_wait_too_long_is_left(fake):
    fake.script({"rules": [{"model": "a", "status": 429, "retry_after": 60}]})
    chain, _, _ = reach(fake, "a", "b", retries=3)
    assert statuses(chain) == [("a", 429), ("b", 200)]


def test_nobody_answers(fake):
    fake.script({"rules": [{"status": 503, "retry_after_ms": 1}]})
    chain, error, taken = reach(fake, "a", "b", retries=1)
    assert isinstance(error, NoAnswer)
    assert statuses(chain) == [("a", 503)] * 2 + [("b", 503)] * 2
    assert (error.last.target.model, error.last.response.status) == ("b", 503)
    assert error.attempts == tuple(chain.attempts)
    assert taken == 0


def test_broken_connections(fake):
    fake.script({"rules": [{"refuse": True}]})
    chain, error, taken = reach(fake, "a", retries=2)
    assert error.last is None
    assert [a.status for a in chain.attempts] == [0, 0, 0]
    assert all(a.error for a in chain.attempts)
    assert taken == 0


@pytest.mark.parametrize("stream", [False, True])
def test_what_breaks_off_before_anything_came_is_tried_again(fake, stream):
    fake.script({"rules": [{"times": 1, "cut_after": 0}]})
    chain, _reached, taken = reach(fake, "a", retries=1, stream=stream)
    assert [a.status for a in chain.attempts] == [0, 200]
    assert taken == int(stream)


def test_retries_end_with_their_budget(fake):
    fake.script({"rules": [{"status": 500, "retry_after_ms": 0}]})
    chain, _, _ = reach(fake, "a", retries=50, share=0.0, breaker=Breaker(failures=1000))
    assert len(chain.attempts) == 11


def test_who_cannot_be_asked_is_passed_over(fake):
    chain, _reached, _ = reach(fake, "unsayable", "b")
    assert statuses(chain) == [("b", 200)]
    fake.script({"rules": [{"status": 503}]})
    _, error, _ = reach(fake, "a", "unsayable")
    assert error.last.response.status == 503


def test_nobody_can_be_asked(fake):
    with pytest.raises(Untranslatable):
        reach(fake, "unsayable", "unsayable")


def test_nobody_is_there_to_ask(fake):
    _, error, _ = reach(fake)
    assert "nobody to ask" in str(error)

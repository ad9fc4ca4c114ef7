"""From a plan to the last byte: the row is kept before the answer's end goes out."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from openflywheel.base.errors import StoreError
from openflywheel.serve._fake.server import Running, running
from openflywheel.serve._gateway import intake
from openflywheel.serve._gateway.relay import Relay
from openflywheel.serve._gateway.surfaces import CHAT, Refusal
from openflywheel.serve._gateway.targets import Plan
from openflywheel.serve._upstream.chain import Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.providers import Provider


class Log:
    """Keeps in memory, in one list with what was sent; or can't."""

    def __init__(self, happened: list, works: bool) -> None:
        self.happened, self.works = happened, works

    async def keep(self, finished, key) -> None:
        await asyncio.sleep(0)
        if not self.works:
            raise StoreError("no room")
        self.happened.append(finished)

    def check(self) -> None:
        return


@pytest.fixture(scope="module")
def fake() -> Iterator[Running]:
    with running() as provider:
        yield provider


def passed_on(fake, script, *, stream=False, works=True, leaves=False):
    """What happened, in order: messages to the client, and the row; and the observed rows."""
    fake.script(script)
    happened, observed = [], []
    body = {"model": "up/small", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    request = intake.read(CHAT, json.dumps(body).encode(), {}, None, lambda _: "", 0.0)

    async def run():
        upstream = Upstream("up", Provider(url=fake.url))
        began = asyncio.Event()

        async def send(message):
            happened.append(message)
            if message.get("body"):
                began.set()

        async def receive():
            await (began.wait() if leaves else asyncio.Event().wait())
            return {"type": "http.disconnect"}

        plan = Plan(variant="up/small", targets=(Target(upstream, "small"),))
        relay = Relay(Log(happened, works), observed.append, "s1")
        try:
            await relay.pass_on(request, plan, None, receive, send)
        except Refusal as refusal:
            happened.append(refusal)
        finally:
            assert upstream.running == 0, "its place is given back"
            upstream.close()

    asyncio.run(run())
    return happened, observed


def test_the_row_comes_before_a_whole_answer(fake):
    happened, observed = passed_on(fake, {})
    row, start, end = happened
    assert row.exchange.output == "Echo: hi"
    assert (start["status"], row.call.response) == (200, end["body"])
    assert observed == [row]


def test_the_row_comes_before_a_streams_last_event(fake):
    happened, observed = passed_on(fake, {}, stream=True)
    *chunks, row, last = happened
    assert last["body"] == b"data: [DONE]\n\n"
    assert not last.get("more_body")
    sent = b"".join(m["body"] for m in chunks if "body" in m)
    assert row.call.response == sent + last["body"]
    assert observed[0].first_byte > 0


def test_no_row_no_answer(fake):
    [refusal], observed = passed_on(fake, {}, works=False)
    assert (refusal.status, refusal.code) == (503, "store_unavailable")
    assert not observed
    happened, _ = passed_on(fake, {}, stream=True, works=False)
    assert b"store_unavailable" in happened[-1]["body"]
    assert not any(b"[DONE]" in message.get("body", b"") for message in happened)


def test_a_cut(fake):
    happened, _ = passed_on(fake, {"rules": [{"cut_after": 2}]}, stream=True)
    assert happened[-2].exchange.ended == "cut"
    assert b"provider_cut" in happened[-1]["body"]


def test_an_error_of_the_providers_own_is_passed_on_once(fake):
    happened, _ = passed_on(fake, {"rules": [{"error_after": 2, "message": "oh"}]}, stream=True)
    assert happened[-2].exchange.ended == "cut"
    assert happened[-1]["body"].count(b'"error"') == 1
    assert b"oh" in happened[-1]["body"]


def test_a_client_that_leaves(fake):
    script = {"rules": [{"per_token": 0.01, "answer": "word " * 1000}]}
    happened, _ = passed_on(fake, script, stream=True, leaves=True)
    assert happened[-2].exchange.ended == "disconnected"
    assert happened[-2].call.estimated


def test_an_error_is_kept_and_told(fake):
    happened, _ = passed_on(fake, {"rules": [{"status": 400, "message": "no"}]}, stream=True)
    row, start, end = happened
    assert (row.exchange.ended, row.call.status, start["status"]) == ("failed", 400, 400)
    assert b"no" in end["body"]


def test_nobody_answers(fake):
    row, refusal = passed_on(fake, {"rules": [{"refuse": True}]})[0]
    assert (row.exchange.ended, refusal.status) == ("failed", 502)
    assert refusal.headers["x-flywheel-exchange"] == row.exchange.id

"""The nouns of a request."""

import json

import pytest

from openflywheel.base.keys import Key
from openflywheel.base.nouns import Attempt, Exchange, Verdict
from openflywheel.serve._gateway import intake, kept
from openflywheel.serve._gateway.answered import Answered
from openflywheel.serve._gateway.surfaces import CHAT
from openflywheel.serve._gateway.targets import Plan
from openflywheel.serve._upstream.chain import Target
from openflywheel.serve._upstream.client import Upstream
from openflywheel.serve.providers import Price, Provider

KEY = Key(id="k1", name="app", hash="", scopes=("infer",), created=0, tenant="acme")
ANSWER = Answered(text="yes", turn="yes", reply="r1", input_tokens=3, output_tokens=4)
FOUND = Verdict(check="guard.pii", about="", passed="yes", n=1)
OWN = Exchange(
    episode="", task="route", input="<email>", output="refund", variant="m1", subject="s", confidence=0.9,
    choices=("refund",), cost=0.5,
)  # fmt: skip


@pytest.fixture
def target():
    price = {"small": Price(input=1, output=2)}
    return Target(Upstream("up", Provider(url="http://u/v1", prices=price)), "small")


def request(key=KEY, **fields):
    messages = [{"role": "user", "content": "ann@example.com"}]
    body = json.dumps({"model": "m", "messages": messages, **fields}).encode()
    return intake.read(CHAT, body, {}, key, lambda person: f"key of {person}", 0.0)


def test_what_a_provider_answered(target):
    asked, attempts = request(user="ann"), [Attempt(provider="up", model="small", status=200)]
    plan = Plan(task="answer", variant="a", propensity=0.75, targets=(target,))
    found = kept.finished(asked, plan, ANSWER, b"bytes", target=target, status=200, attempts=attempts)
    exchange, call = found.exchange, found.call
    assert exchange.id == call.id == asked.id
    assert (exchange.input, exchange.output, exchange.subject) == ("ann@example.com", "yes", "key of ann")
    assert (exchange.task, exchange.variant, exchange.propensity, exchange.tenant) == (
        "answer",
        "a",
        0.75,
        "acme",
    )
    assert (exchange.tokens, exchange.cost) == (7, pytest.approx(11e-6))
    assert (call.request, call.response, call.reply, call.key) == (asked.body, b"bytes", "r1", "k1")
    assert call.attempts == tuple(attempts)


def test_a_fallback_is_named(target):
    plan = Plan(task="answer", variant="a", targets=(Target(target.upstream, "first"), target))
    found = kept.finished(request(None), plan, ANSWER, b"", target=target, status=200, attempts=())
    assert (found.exchange.variant, found.exchange.tenant, found.call.key) == ("up/small", "", "")


def test_nobody_answered():
    plan = Plan(task="answer", variant="a")
    found = kept.finished(
        request(), plan, Answered(), b"e", target=None, status=502, attempts=(), ended="failed"
    )
    assert (found.exchange.ended, found.exchange.variant, found.exchange.cost) == ("failed", "a", 0.0)


def test_a_teacher_after_our_own_model(target):
    plan = Plan(task="route", own=True, targets=(target,))
    found = kept.finished(
        request(), plan, ANSWER, b"b", target=target, status=200, attempts=(), proposal=OWN
    ).exchange
    assert (found.input, found.output, found.variant) == ("<email>", "yes", "up/small")
    assert (found.confidence, found.choices) == (0.9, ("refund",))
    assert found.cost == pytest.approx(0.5 + 11e-6)


def test_an_own_answer():
    asked = request(flywheel={"variables": {"a": "b"}})
    found = kept.own(asked, Plan(task="route", own=True), OWN, b"body", ANSWER)
    assert found.exchange.id == found.call.id == asked.id
    assert (found.exchange.input, found.exchange.variant, found.exchange.tokens) == ("<email>", "m1", 7)
    assert (found.call.request, found.call.variables) == (asked.body, {"a": "b"})


def test_where_a_guard_found_something_the_bytes_are_not_kept(target):
    asked = request(flywheel={"variables": {"a": "b"}})
    private = Exchange(**{**{f: getattr(OWN, f) for f in OWN.__struct_fields__}, "verdicts": (FOUND,)})
    own = kept.own(asked, Plan(task="route", own=True), private, b"body", ANSWER).call
    assert (own.request, own.variables, own.response) == (b"", {}, b"body")
    plan = Plan(task="route", own=True, targets=(target,))
    taught = kept.finished(
        asked, plan, ANSWER, b"b", target=target, status=200, attempts=(), proposal=private
    ).call
    assert (taught.request, taught.variables, taught.response) == (b"", {}, b"")


def test_a_named_episode_and_one_that_is_derived():
    plan = Plan(task="route", own=True)
    assert kept.own(request(flywheel={"episode": "talk"}), plan, OWN, b"", ANSWER).exchange.episode == "talk"
    said = Answered(text="refund", turn='{"label":"refund"}')
    first = kept.own(request(), plan, OWN, b"", said).exchange.episode
    history = [
        {"role": "user", "content": "ann@example.com"},
        {"role": "assistant", "content": said.turn},
        {"role": "user", "content": "and now?"},
    ]
    assert kept.own(request(messages=history), plan, OWN, b"", ANSWER).exchange.episode == first

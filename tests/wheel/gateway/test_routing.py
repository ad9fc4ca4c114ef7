"""Who answers: variants by weight, fallbacks, retries, circuits, queues and timeouts."""

import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

MESSAGES = [{"role": "user", "content": "hello"}]
TWO = {"small": {"model": "up/small", "weight": 3}, "large": {"model": "up/large", "weight": 1}}


def ask(client, model="flywheel/answer", **more):
    return client.chat.completions.create(model=model, messages=MESSAGES, **more)


def route(**changes):
    return {"routes": {"answer": {"fallback": ["claude/big"], "retries": 0, **changes}}}


def test_variants_are_drawn_by_weight_and_stay_with_a_subject(gateway):
    gate = gateway(serve={"routes": {"answer": {"variants": TWO}}})
    client = gate.openai()
    for _ in range(2):
        for number in range(40):
            ask(client, user=f"person {number}")
    rows = gate.exchanges()
    assert [e.variant for e in rows[:40]] == [e.variant for e in rows[40:]]
    small = sum(e.variant == "small" for e in rows[:40])
    assert 20 <= small < 40, "3 of 4 are 30 of 40; subjects are drawn by a hash, so this does not change"
    assert {(e.variant, e.propensity) for e in rows} == {("small", 0.75), ("large", 0.25)}


def test_a_named_variant_is_pinned(gateway, fake):
    gate = gateway(serve={"routes": {"answer": {"variants": TWO}}})
    for _ in range(5):
        ask(gate.openai(), "flywheel/answer/large")
    assert {seen.body["model"] for seen in fake.requests()} == {"large"}
    assert {(e.variant, e.propensity) for e in gate.exchanges()} == {("large", 1.0)}


@pytest.mark.parametrize(("model", "sent"), [("up/a/b", "a/b"), ("small", "small"), ("never-heard-of", None)])
def test_a_providers_model_passes_through(gate, fake, model, sent):
    if sent is None:
        ask(gate.openai(), model)  # only one provider speaks OpenAI's dialect: it must be meant
        sent = model
    else:
        ask(gate.openai(), model)
    assert fake.requests()[0].body["model"] == sent
    assert gate.exchanges()[0].task == ""


def test_retries_stay_within_their_budget(gateway, fake):
    fake.script({"rules": [{"status": 500, "retry_after_ms": 0}]})
    gate = gateway(
        serve={
            "routes": {"answer": {"retries": 2, "retry_share": 0.25}},
            "providers": {"up": {"breaker": {"failures": 1000}}},
        }
    )
    for _ in range(10):
        with pytest.raises(openai.InternalServerError):
            ask(gate.openai())
    assert len(fake.requests()) == 22, "10 requests, the reserve of 10 retries, and a quarter of each request"


def test_a_provider_without_an_answer_is_replaced(gateway, fake):
    fake.script({"rules": [{"path": "/chat/completions", "refuse": True}]})
    gate = gateway(serve=route())
    assert ask(gate.openai()).choices[0].message.content == "Echo: hello"
    [call] = gate.calls()
    assert call.attempts[0].error
    assert (call.attempts[0].status, call.attempts[1].status) == (0, 200)


def test_nobody_answers(gateway, fake):
    fake.script({"rules": [{"refuse": True}]})
    gate = gateway(serve=route())
    with pytest.raises(openai.InternalServerError, match="no provider answered") as raised:
        ask(gate.openai())
    assert (raised.value.status_code, raised.value.code) == (502, "no_provider")
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert (exchange.ended, call.status, len(call.attempts)) == ("failed", 502, 2)
    assert raised.value.response.headers["x-flywheel-exchange"] == exchange.id


@pytest.mark.parametrize("stream", [False, True])
def test_a_slow_provider_is_given_up(gateway, fake, stream):
    fake.script({"rules": [{"path": "/chat/completions", "hang": True}]})
    gate = gateway(serve=route() | {"providers": {"up": {"timeout": 0.2}}})
    answer = ask(gate.openai(), stream=stream)
    assert list(answer) if stream else answer.choices
    [call] = gate.calls()
    assert call.attempts[0].error.startswith("TimeoutError")


def test_a_stream_that_falls_silent_is_cut(gateway, fake, until):
    fake.script({"rules": [{"per_token": 60}]})
    gate = gateway(serve={"providers": {"up": {"timeout": 0.2}}})
    with pytest.raises(openai.APIError, match="broke off"):
        list(ask(gate.openai(), stream=True))
    assert gate.exchanges()[0].ended == "cut"


def test_a_circuit_opens(gateway, fake):
    fake.script({"rules": [{"path": "/chat/completions", "status": 500}]})
    gate = gateway(serve=route() | {"providers": {"up": {"breaker": {"failures": 2, "pause": 600}}}})
    for _ in range(3):
        ask(gate.openai())
    attempts = [call.attempts for call in gate.calls()]
    assert [a[0].status for a in attempts] == [500, 500, 0]
    assert "left alone" in attempts[2][0].error
    assert [seen.path for seen in fake.requests()].count("/v1/chat/completions") == 2


def test_a_circuit_closes_again(gateway, fake):
    fake.script({"rules": [{"path": "/chat/completions", "times": 2, "status": 500}]})
    gate = gateway(serve=route() | {"providers": {"up": {"breaker": {"failures": 1, "pause": 0.05}}}})
    for _ in range(4):
        ask(gate.openai())
        time.sleep(0.1)  # now it is half open: one may try
    assert [call.attempts[0].status for call in gate.calls()] == [500, 500, 200, 200]


def test_a_full_provider_makes_wait_and_then_refuses(gateway, fake):
    fake.script({"rules": [{"path": "/chat/completions", "latency": 0.4}]})
    limits = {"concurrency": 1, "queue": 0.1}
    gate = gateway(serve=route() | {"providers": {"up": limits}})
    client = gate.openai()
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: ask(client), range(3)))
    variants = sorted(e.variant for e in gate.exchanges())
    assert variants == ["claude/big", "claude/big", "small"]
    assert any("1 requests are running" in a.error for c in gate.calls() for a in c.attempts)


def test_the_queue_is_served_in_turn(gateway, fake):
    fake.script({"rules": [{"latency": 0.05}]})
    gate = gateway(serve=route() | {"providers": {"up": {"concurrency": 1, "queue": 10}}})
    client = gate.openai()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: ask(client), range(4)))
    assert {e.variant for e in gate.exchanges()} == {"small"}

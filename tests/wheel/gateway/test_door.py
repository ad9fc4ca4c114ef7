"""Keys, scopes, rates and budgets at the gateway, as the SDKs see them."""

import time

import anthropic
import openai
import pytest

from openflywheel.store import Store
from openflywheel.store.keys import Keys

MESSAGES = [{"role": "user", "content": "hello"}]
ASK = {"model": "up/small", "messages": MESSAGES}
CLAUDE = {"model": "claude/big", "messages": MESSAGES, "max_tokens": 9}


@pytest.fixture
def keyed(written, gateway):
    """Start a gateway for which a key has been made; gives both."""

    def start(*scopes, **limits):
        store = Store(written().parent / "wheel")
        try:
            _, secret = Keys(store.journal).create("app", scopes or ("infer",), **limits)
        finally:
            store.journal.close()
        return gateway(), secret

    return start


def test_without_any_key_everybody_here_may_ask(gate):
    assert gate.openai(api_key="whatever").chat.completions.create(**ASK).choices


def test_no_key(keyed, fake):
    gate, _ = keyed()
    with pytest.raises(openai.AuthenticationError, match="flywheel keys create") as raised:
        gate.openai(api_key="sk-other").chat.completions.create(**ASK)
    assert raised.value.code == "invalid_api_key"
    with pytest.raises(anthropic.AuthenticationError):
        gate.anthropic(api_key="sk-other").messages.create(**CLAUDE)
    assert gate.http().post("/v1/responses", json=ASK).status_code == 401
    assert not fake.requests()
    assert not gate.exchanges()


def test_the_key_in_both_dialects(keyed):
    gate, secret = keyed(tenant="acme")
    assert gate.openai(api_key=secret).chat.completions.create(**ASK).choices
    assert gate.anthropic(api_key=secret).messages.create(**CLAUDE).content
    assert gate.anthropic(api_key=None, auth_token=secret).messages.create(**CLAUDE).content
    assert {e.tenant for e in gate.exchanges()} == {"acme"}
    assert {call.key for call in gate.calls()} == {secret.split("-")[1]}


def test_the_key_reaches_neither_the_provider_nor_the_store(keyed, fake):
    fake.script({"keys": ["sk-upstream"]})
    gate, secret = keyed()
    gate.openai(api_key=secret).chat.completions.create(**ASK)
    files = [path for path in gate.store.rglob("*") if path.is_file()]
    assert not [path for path in files if secret.encode() in path.read_bytes()]
    assert not [path for path in files if b"sk-upstream" in path.read_bytes()]


def test_another_scope(keyed):
    gate, secret = keyed("signal")
    with pytest.raises(openai.PermissionDeniedError, match="infer") as raised:
        gate.openai(api_key=secret).chat.completions.create(**ASK)
    assert raised.value.code == "insufficient_scope"
    with pytest.raises(anthropic.PermissionDeniedError):
        gate.anthropic(api_key=secret).messages.create(**CLAUDE)


def test_an_expired_key(keyed):
    gate, secret = keyed(expires=time.time() + 0.5)
    time.sleep(0.6)
    with pytest.raises(openai.AuthenticationError):
        gate.openai(api_key=secret).chat.completions.create(**ASK)


def test_a_key_that_is_made_and_revoked_while_it_runs(gate, until):
    http = gate.http()
    secret = gate.key()
    until(lambda: http.post("/v1/chat/completions", json=ASK).status_code == 401)
    headers = {"authorization": f"Bearer {secret}"}
    assert http.post("/v1/chat/completions", json=ASK, headers=headers).status_code == 200
    with gate.keys() as keys:
        keys.revoke(secret.split("-")[1])
    until(lambda: http.post("/v1/chat/completions", json=ASK, headers=headers).status_code == 401)


def test_a_keys_rate(keyed):
    gate, secret = keyed(rate="2/h")
    client = gate.openai(api_key=secret)
    for _ in range(2):
        client.chat.completions.create(**ASK)
    with pytest.raises(openai.RateLimitError, match="2/h") as raised:
        client.chat.completions.create(**ASK)
    wait = float(raised.value.response.headers["retry-after-ms"]) / 1000
    assert 1700 < wait <= 1801
    with pytest.raises(anthropic.RateLimitError):
        gate.anthropic(api_key=secret).messages.create(**CLAUDE)
    assert len(gate.exchanges()) == 2


def test_the_sdk_waits_as_long_as_it_is_told(keyed):
    gate, secret = keyed(rate="5/s burst 1")
    client = gate.openai(api_key=secret, max_retries=3)
    for _ in range(3):
        assert client.chat.completions.create(**ASK).choices
    assert len(gate.exchanges()) == 3


def test_a_subjects_rate(keyed):
    gate, secret = keyed(subject_rate="1/h")
    client = gate.openai(api_key=secret)
    client.chat.completions.create(**ASK, user="ann")
    client.chat.completions.create(**ASK, user="bob")
    with pytest.raises(openai.RateLimitError, match="subject"):
        client.chat.completions.create(**ASK, user="ann")


def test_a_subjects_rate_without_keys(gateway):
    gate = gateway(serve={"gateway": {"subject_rate": "1/h"}})
    client = gate.openai()
    client.chat.completions.create(**ASK, user="ann")
    client.chat.completions.create(**ASK)
    client.chat.completions.create(**ASK)
    with pytest.raises(openai.RateLimitError, match="subject"):
        client.chat.completions.create(**ASK, safety_identifier="ann")


@pytest.mark.parametrize("whose", ["budget", "subject_budget"])
def test_a_budget(keyed, whose):
    gate, secret = keyed(**{whose: "0.000012/d"})  # an exchange costs .000008
    client = gate.openai(api_key=secret, max_retries=2)
    for _ in range(2):
        client.chat.completions.create(**ASK, user="ann")
    with pytest.raises(openai.RateLimitError, match="budget") as raised:
        client.chat.completions.create(**ASK, user="ann")
    assert raised.value.code == "insufficient_quota"
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert len(gate.exchanges()) == 2
    with gate.keys() as keys:
        name = secret.split("-")[1]
        name = name if whose == "budget" else f"{name}/{gate.exchanges()[0].subject}"
        assert sorted(keys.spent([name], time.time()).values()) == pytest.approx([16e-6, 16e-6])


def test_another_persons_budget_is_not_touched(keyed):
    gate, secret = keyed(subject_budget="0.000001/d")
    client = gate.openai(api_key=secret)
    client.chat.completions.create(**ASK, user="ann")
    client.chat.completions.create(**ASK, user="bob")
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**ASK, user="bob")

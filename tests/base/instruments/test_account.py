"""A provider's API under our key: what is tried again, what is never done twice, what an error says."""

import asyncio
import logging
import socket

import pytest

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments import account as module
from openflywheel.base.instruments.account import Account, ProviderFailed, ProviderRefused, account
from openflywheel.serve.providers import Provider

KEY = "sk-very-secret"
HELLO = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
JOBS = "/fine_tuning/jobs"


@pytest.fixture
def far(fake):
    return Account("far", Provider(url=fake.url, key=KEY))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0, 0.0))


def asked(fake):
    return [f"{seen.method} {seen.path}" for seen in fake.requests()]


def test_a_provider_is_found_by_its_name(fake):
    providers = {"far": Provider(url=fake.url)}
    assert account("far", providers).get("/files")["data"] == []


def test_a_name_that_there_is_not_is_told():
    with pytest.raises(SettingsError, match="no provider 'fra' in serve.providers; did you mean 'far'"):
        account("fra", {"far": Provider(url="http://x/v1")})
    with pytest.raises(SettingsError, match="choices: none"):
        account("far", {})


def test_a_provider_of_another_dialect_is_told():
    with pytest.raises(SettingsError, match="far speaks anthropic"):
        account("far", {"far": Provider(url="http://x/v1", dialect="anthropic")})


def test_the_key_and_the_headers_go_with_every_request(fake):
    fake.script({"keys": [KEY]})
    there = Provider(url=fake.url, key=KEY, headers={"openai-project": "p-1"})
    assert Account("far", there).get("/models")["object"] == "list"
    assert fake.requests()[0].headers["openai-project"] == "p-1"


def test_no_key_sends_none(fake):
    Account("far", Provider(url=fake.url)).get("/models")
    assert "authorization" not in fake.requests()[0].headers


def test_a_query_is_quoted(fake, far):
    there = far.get(JOBS, **{"metadata[a b]": "c&d=e", "limit": 3})
    assert there["data"] == []
    assert asked(fake) == [f"GET /v1{JOBS}"]


def test_a_file_arrives_byte_for_byte(far):
    content = b'{"a": "\xc3\xa9"}\r\n--x\n'
    id = far.upload("a.jsonl", content, "fine-tune")["id"]
    [there] = far.get("/files")["data"]
    assert (there["id"], there["bytes"], there["filename"]) == (id, len(content), "a.jsonl")


def test_what_is_deleted_may_be_gone_already(far):
    id = far.upload("a.jsonl", b"{}", "fine-tune")["id"]
    far.delete(f"/files/{id}")
    far.delete(f"/files/{id}")
    assert far.get("/files")["data"] == []


def test_a_refused_delete_is_told(fake, far):
    fake.script({"rules": [{"status": 403}]})
    with pytest.raises(ProviderRefused):
        far.delete("/files/x")


@pytest.mark.parametrize("rule", [{"status": 500}, {"status": 503}, {"status": 429}, {"refuse": True}])
def test_a_look_is_tried_again(fake, far, rule):
    fake.script({"rules": [{"times": 2, **rule}]})
    assert far.get("/models")["object"] == "list"
    assert len(fake.requests()) == 3


def test_trying_ends(fake, far):
    fake.script({"rules": [{"status": 500, "message": "broken down"}]})
    with pytest.raises(ProviderFailed, match="far did not do GET /models: status 500: broken down"):
        far.get("/models")
    assert len(fake.requests()) == 4


@pytest.mark.parametrize("rule", [{"status": 500}, {"status": 408}, {"refuse": True}, {"cut_after": 1}])
def test_an_order_whose_answer_is_lost_is_not_repeated(fake, far, rule):
    fake.script({"rules": [rule]})
    with pytest.raises(ProviderFailed):
        far.post("/chat/completions", HELLO)
    assert len(fake.requests()) == 1


def test_an_order_that_was_surely_not_done_is_repeated(fake, far):
    fake.script({"rules": [{"times": 1, "status": 429}]})
    with pytest.raises(ProviderRefused, match="invalid training_file: x"):
        far.post(JOBS, {"model": "m", "training_file": "x"})
    assert len(fake.requests()) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_told_at_once(fake, far, status):
    fake.script({"rules": [{"status": status, "message": "as told"}]})
    with pytest.raises(ProviderRefused, match=rf"status {status}: as told \(see: fl") as caught:
        far.get("/models")
    assert caught.value.status == status
    assert len(fake.requests()) == 1


def test_the_provider_says_when_to_come_again(monkeypatch, fake, far):
    slept = []
    sleep = asyncio.sleep

    async def note(seconds):
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(module.asyncio, "sleep", note)
    monkeypatch.setattr(module, "LONGEST", 9.0)
    told = [{"retry_after_ms": 20}, {"retry_after": 1.5}, {"retry_after": 99}]
    fake.script({"rules": [{"times": 1, "status": 429, **rule} for rule in told]})
    far.get("/models")
    assert slept == [0.02, 1.5, 9.0]


def test_an_unreachable_provider_is_told():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(ProviderFailed, match="the provider far did not do GET /files: status 0: Conn"):
            Account("far", Provider(url=url, connect=1.0)).get("/files")


def test_what_is_no_json_is_told(fake):
    there = Account("far", Provider(url=fake.url))
    id = there.upload("a.jsonl", b"plain", "fine-tune")["id"]
    with pytest.raises(ProviderFailed, match="it answered no JSON: plain"):
        there.get(f"/files/{id}/content")


def test_the_key_is_in_no_error_and_no_log(fake, far, caplog):
    caplog.set_level(logging.DEBUG)
    fake.script({"rules": [{"status": 401, "message": f"Incorrect API key provided: {KEY}"}]})
    with pytest.raises(ProviderRefused, match="Incorrect API key provided: \\*\\*\\*") as caught:
        far.get("/models")
    assert KEY not in f"{caught.value!r} {caught.value} {far!r} {caplog.text}"


def test_chats_are_answered_in_their_order(fake, far):
    bodies = [{**HELLO, "messages": [{"role": "user", "content": str(i)}]} for i in range(20)]
    said = [answer["choices"][0]["message"]["content"] for answer in far.chats(bodies)]
    assert said == [f"Echo: {i}" for i in range(20)]
    assert far.chats([]) == []


def test_one_chat_that_fails_fails_all(fake, far):
    fake.script({"rules": [{"contains": "7", "status": 400, "message": "not this one"}]})
    bodies = [{**HELLO, "messages": [{"role": "user", "content": str(i)}]} for i in range(9)]
    with pytest.raises(ProviderRefused, match="not this one"):
        far.chats(bodies)


def test_chats_are_tried_again(fake, far):
    fake.script({"rules": [{"times": 2, "status": 503}]})
    assert far.chats([HELLO])[0]["choices"][0]["message"]["content"] == "Echo: hello"

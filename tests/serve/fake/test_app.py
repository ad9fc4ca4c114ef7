"""Headers, keys, paths, models, and everything that a script can make go wrong, as the SDKs see it."""

import asyncio
import socket
import time

import anthropic
import httpx2
import openai
import pytest

HELLO = [{"role": "user", "content": "hello"}]
CHAT = {"model": "m", "messages": HELLO}
CLAUDE = {"model": "m", "messages": HELLO, "max_tokens": 9}


def ask(client, **more):
    return client.chat.completions.create(**{**CHAT, **more})


def paths(fake):
    return [request.path for request in fake.requests()]


def test_openais_headers(http):
    headers = http.post("/v1/chat/completions", json=CHAT).headers
    assert headers["x-request-id"].startswith("req_")
    assert int(headers["openai-processing-ms"]) >= 0
    assert int(headers["x-ratelimit-remaining-requests"]) < int(headers["x-ratelimit-limit-requests"])
    assert {"x-ratelimit-reset-tokens", "openai-version", "date"} <= set(headers)


def test_anthropics_headers(http):
    first, second = (http.post("/v1/messages", json=CLAUDE).headers for _ in range(2))
    assert first["request-id"] != second["request-id"]
    assert {"anthropic-ratelimit-requests-limit", "anthropic-ratelimit-tokens-reset"} <= set(first)
    assert "x-request-id" not in first


# Models


def test_the_models_are_those_with_a_price(fake, client, claude):
    assert [m.id for m in client.models.list()] == ["fake-large", "fake-small", "fake-embedding"]
    fake.script({"prices": {"a/b": {"input": 1}}})
    assert [m.id for m in client.models.list()] == ["a/b"]
    assert client.models.retrieve("a/b").object == "model"
    assert [m.id for m in claude.models.list()] == ["a/b"]
    assert claude.models.retrieve("a/b").type == "model"


def test_a_script_without_prices_has_no_models(fake, client, claude):
    fake.script({"prices": {}})
    assert list(client.models.list()) == []
    assert list(claude.models.list()) == []


def test_an_unknown_model_is_not_found(client, claude):
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("none")
    assert caught.value.code == "model_not_found"
    with pytest.raises(anthropic.NotFoundError, match="model: none"):
        claude.models.retrieve("none")


# Keys and paths


def test_every_key_is_welcome_and_none_is_needed(http):
    assert http.post("/v1/chat/completions", json=CHAT).status_code == 200


def test_only_the_scripts_keys_are_let_in(fake, client, claude):
    fake.script({"keys": ["another", "sk-secret"]})
    assert ask(client).choices
    assert claude.messages.create(**CLAUDE).content
    fake.script({"keys": ["another"]})
    with pytest.raises(openai.AuthenticationError) as caught:
        ask(client)
    assert caught.value.code == "invalid_api_key"
    with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
        claude.messages.create(**CLAUDE)
    with pytest.raises(openai.AuthenticationError):
        client.models.list()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("DELETE", "/v1/models/m", 405),
    ],
)
def test_an_unknown_path_or_method_is_told(http, method, path, status):
    response = http.request(method, path)
    assert (response.status_code, response.json()["error"]["type"]) == (status, "invalid_request_error")
    assert path in response.json()["error"]["message"]
    other = http.request(method, path, headers={"anthropic-version": "2023-06-01"})
    assert (other.status_code, other.json()["type"]) == (status, "error")


# Errors


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (503, "InternalServerError"),
        (529, "InternalServerError"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_status_becomes_the_sdks_exception(fake, client, claude, status, error, stream):
    fake.script({"rules": [{"status": status, "message": "as told", "code": "told"}]})
    with pytest.raises(openai.APIStatusError, match="as told") as caught:
        ask(client, stream=stream)
    assert isinstance(caught.value, getattr(openai, error))
    assert (caught.value.code, caught.value.status_code) == ("told", status)
    with pytest.raises(anthropic.APIStatusError, match="as told") as heard:
        claude.messages.create(**CLAUDE, stream=stream)
    assert isinstance(heard.value, getattr(anthropic, error))
    assert heard.value.body["error"]["type"] == "told"
    assert fake.bill().models == []


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_the_sdks_retry_when_told_to(fake, client, claude, status):
    for sdk, call in ((client, ask), (claude, lambda c: c.messages.create(**CLAUDE))):
        fake.clear()
        fake.script({"rules": [{"times": 2, "status": status, "retry_after_ms": 1}]})
        assert call(sdk.with_options(max_retries=2)).id
        assert len(fake.requests()) == 3


def test_retries_end(fake, client):
    fake.script({"rules": [{"status": 500, "retry_after_ms": 1}]})
    with pytest.raises(openai.InternalServerError):
        ask(client.with_options(max_retries=2))
    assert len(fake.requests()) == 3


def test_a_retry_can_be_forbidden_or_asked_for(fake, client):
    fake.script({"rules": [{"status": 500, "x-should-retry": False}]})
    with pytest.raises(openai.InternalServerError):
        ask(client.with_options(max_retries=2))
    assert len(fake.requests()) == 1
    fake.script({"rules": [{"times": 1, "status": 400, "x-should-retry": True, "retry_after_ms": 1}]})
    assert ask(client.with_options(max_retries=2)).choices


def test_when_to_retry_is_in_the_headers(fake, http):
    told = {"status": 429, "retry_after": 1.5, "retry_after_ms": 20, "x-should-retry": True}
    fake.script({"rules": [told]})
    headers = http.post("/v1/chat/completions", json=CHAT).headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("1.5", "20")
    assert headers["x-should-retry"] == "true"


# Breaking off


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_cut_stream_raises_after_so_many_chunks(fake, client, claude, after):
    fake.script({"rules": [{"cut_after": after}]})
    seen = []
    with pytest.raises((httpx2.RemoteProtocolError, openai.APIConnectionError)):
        seen.extend(ask(client, stream=True))
    assert len(seen) == after
    with pytest.raises((httpx2.RemoteProtocolError, anthropic.APIConnectionError)):
        list(claude.messages.create(**CLAUDE, stream=True))


def test_a_cut_stream_lacks_its_last_chunk_on_the_wire(fake):
    fake.script({"rules": [{"cut_after": 2}]})
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", int(fake.root.rpartition(":")[2])), timeout=10) as wire:
        wire.sendall(head + body)
        text = b"".join(iter(lambda: wire.recv(65536), b""))
    assert b"transfer-encoding: chunked" in text
    assert text.count(b"data: ") == 2
    assert b"0\r\n\r\n" not in text
    assert b"[DONE]" not in text


def test_a_whole_answer_is_cut_in_its_middle(fake, client, claude):
    fake.script({"rules": [{"cut_after": 1}]})
    with pytest.raises(openai.APIConnectionError):
        ask(client)
    with pytest.raises(anthropic.APIConnectionError):
        claude.messages.create(**CLAUDE)


def test_a_stream_that_is_shorter_than_its_cut_ends_as_usual(fake, client):
    fake.script({"rules": [{"cut_after": 99}]})
    assert list(ask(client, stream=True))[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("after", [0, 2])
def test_an_error_in_mid_stream_raises(fake, client, after):
    fake.script({"rules": [{"error_after": after, "message": "lost it", "code": "oops"}]})
    seen = []
    with pytest.raises(openai.APIError, match="lost it") as caught:
        seen.extend(ask(client, stream=True))
    assert (len(seen), caught.value.code) == (after, "oops")


def test_an_error_in_mid_stream_is_a_clean_end_of_the_body(fake, http):
    fake.script({"rules": [{"error_after": 1}]})
    text = http.post("/v1/chat/completions", json={**CHAT, "stream": True}).text
    first, last = text.strip().split("\n\n")
    assert '"choices"' in first
    assert last.startswith('data: {"error":{"message":')


def test_without_a_stream_the_error_is_the_answer(fake, client):
    fake.script({"rules": [{"error_after": 3}]})
    with pytest.raises(openai.InternalServerError):
        ask(client)


def test_a_refused_connection_gets_no_byte(fake, client, claude):
    fake.script({"rules": [{"refuse": True}]})
    with pytest.raises(openai.APIConnectionError):
        ask(client)
    with pytest.raises(anthropic.APIConnectionError):
        claude.messages.create(**CLAUDE)
    assert paths(fake) == ["/v1/chat/completions", "/v1/messages"]


def test_a_refused_connection_is_silent_on_the_wire(fake):
    fake.script({"rules": [{"refuse": True}]})
    with socket.create_connection(("127.0.0.1", int(fake.root.rpartition(":")[2])), timeout=10) as wire:
        wire.sendall(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")
        assert wire.recv(1) == b""


def test_sdks_recover_from_a_refused_connection(fake, client):
    fake.script({"rules": [{"refuse": True, "times": 1}]})
    assert ask(client.with_options(max_retries=1)).choices
    assert len(fake.requests()) == 2


def test_what_hangs_never_answers(fake, client):
    fake.script({"rules": [{"hang": True}]})
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.2))
    fake.script({})
    assert ask(client).choices


# Time


@pytest.mark.parametrize(
    "told", [{"latency": 0.2}, {"latency": {"median": 0.2, "sigma": 0}}, {"per_token": 0.07}]
)
def test_slowness_is_at_least_what_was_told(fake, client, told):
    fake.script({"rules": [told]})
    began = time.monotonic()
    chunks = list(ask(client, stream=True))
    assert time.monotonic() - began >= 0.2
    assert len(chunks) == 5


def test_a_client_may_leave_a_slow_answer(fake, client):
    fake.script({"rules": [{"latency": 60, "nth": 1}]})
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.1))
    with ask(client, stream=True) as stream:
        next(iter(stream))
    assert ask(client).choices


def test_an_id_is_repeated_only_when_told(fake, client, claude):
    assert len({ask(client).id for _ in range(3)}) == 3
    fake.script({"rules": [{"repeat_id": True}]})
    assert len({ask(client).id for _ in range(3)}) == 1
    assert len({claude.messages.create(**CLAUDE).id for _ in range(3)}) == 1
    assert len({client.responses.create(model="m", input="x").id for _ in range(3)}) == 1


def test_models_can_fail_too(fake, client):
    fake.script({"rules": [{"path": "/models", "status": 503}]})
    with pytest.raises(openai.InternalServerError):
        client.models.list()
    assert ask(client).choices


def test_a_10_mb_prompt_is_taken(fake, client):
    text = "x" * 10_000_000
    said = ask(client, messages=[{"role": "user", "content": text}])
    assert said.usage.prompt_tokens == 2_500_000
    assert said.choices[0].message.content == f"Echo: {text}"


# Many at once


def test_many_at_once_get_their_own_answers(fake):
    async def one(client, number):
        words = [{"role": "user", "content": f"question {number}"}]
        stream = await client.chat.completions.create(model="m", messages=words, stream=True)
        chunks = [chunk async for chunk in stream]
        return chunks[0].id, "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    async def all_of_them():
        async with openai.AsyncOpenAI(base_url=fake.url, api_key="k", max_retries=0) as client:
            return await asyncio.gather(*(one(client, number) for number in range(40)))

    fake.script({"rules": [{"per_token": 0.005}]})
    said = asyncio.run(all_of_them())
    assert [text for _, text in said] == [f"Echo: question {number}" for number in range(40)]
    assert len({id for id, _ in said}) == 40
    assert len(fake.requests()) == fake.bill().models[0].requests == 40


def test_those_who_hang_keep_nobody_waiting(fake):
    async def ask_both():
        async with openai.AsyncOpenAI(base_url=fake.url, api_key="k", max_retries=0) as client:
            stuck = [client.chat.completions.create(model="stuck", messages=HELLO) for _ in range(20)]
            waiting = [asyncio.ensure_future(call) for call in stuck]
            answer = await client.chat.completions.create(**CHAT)
            for call in waiting:
                call.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return answer.choices[0].message.content

    fake.script({"rules": [{"model": "stuck", "hang": True}]})
    assert asyncio.run(ask_both()) == "Echo: hello"


def test_requests_on_one_connection_follow_each_other(fake):
    body = b'{"model":"m","input":"x"}'
    head = b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", int(fake.root.rpartition(":")[2])), timeout=10) as wire:
        wire.sendall(head + b"\r\n" + body + head + b"connection: close\r\n\r\n" + body)
        text = b"".join(iter(lambda: wire.recv(65536), b""))
    assert text.count(b"HTTP/1.1 200 OK") == text.count(b"Echo: x") == 2

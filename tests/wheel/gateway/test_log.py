"""What is kept of a request, and that it is kept before the answer is out."""

import gzip
import json
import re
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import openai
import pytest

from openflywheel.base.errors import StoreError
from openflywheel.base.ids import subject_key

MESSAGES = [{"role": "user", "content": "hello"}]
ASK = {"model": "up/small", "messages": MESSAGES}


def key_of(gate, person: str) -> str:
    return subject_key(person, (gate.store / "key").read_bytes())


def test_a_row_is_there_when_the_answer_is(gate):
    client = gate.openai()
    for number in range(20):
        raw = client.chat.completions.with_raw_response.create(**ASK)
        assert gate.exchanges()[number].id == raw.headers["x-flywheel-exchange"]
        assert gate.calls()[number].reply == raw.parse().id


def test_a_row_is_there_when_a_streams_last_event_is(gate):
    with gate.http().stream("POST", "/v1/chat/completions", json={**ASK, "stream": True}) as answer:
        for line in answer.iter_lines():
            if line == "data: [DONE]":
                assert gate.exchanges()[0].output == "Echo: hello"
                return
    pytest.fail("no end")


def test_many_at_once(gate):
    client = gate.openai()
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: client.chat.completions.create(**ASK).id, range(64)))
    assert sorted(call.reply for call in gate.calls()) == sorted(answers)
    assert {e.id for e in gate.exchanges()} == {c.id for c in gate.calls()}


def test_tokens_cost_and_settings(gate):
    gate.openai().chat.completions.create(**ASK)
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.tokens == call.input_tokens + call.output_tokens == 2 + 3
    assert exchange.cost == pytest.approx((2 * 1 + 3 * 2) / 1e6)
    assert exchange.settings
    assert 0 < exchange.latency < 60
    [attempt] = call.attempts
    assert (attempt.provider, attempt.model, attempt.status) == ("up", "small", 200)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"user": "ann"}, {}),
        ({"safety_identifier": "ann"}, {}),
        ({"metadata": {"user_id": "ann"}}, {}),
        ({"flywheel": {"subject": "ann"}, "user": "bob"}, {}),
        ({"user": "bob"}, {"x-flywheel-subject": "ann"}),
    ],
)
def test_who_asks(gate, body, headers):
    gate.openai().chat.completions.create(**ASK, extra_body=body, extra_headers=headers)
    [exchange] = gate.exchanges()
    assert exchange.subject == key_of(gate, "ann")
    assert exchange.input == "hello"


def test_nobody_asks(gate):
    gate.openai().chat.completions.create(**ASK, metadata={"user_id": "", "team": "a"})
    assert gate.exchanges()[0].subject == ""


def test_a_persons_name_is_the_same_in_a_header_and_in_a_body(gate):
    http = gate.http()
    http.post("/v1/chat/completions", json={**ASK, "user": "Zoë"})
    http.post("/v1/chat/completions", json=ASK, headers={"x-flywheel-subject": "Zoë".encode()})
    assert len({e.subject for e in gate.exchanges()}) == 1


def test_variables_are_kept_apart(gate, fake):
    client = gate.openai()
    told = {"variables": {"name": "Ann", "order": "17"}}
    client.chat.completions.create(**ASK, extra_body={"flywheel": told})
    prompt = {"id": "pmpt_1", "variables": {"name": "Bob", "more": {"type": "input_text", "text": "x"}}}
    client.responses.create(model="up/small", input="hello", prompt=prompt)
    first, second = gate.calls()
    assert first.variables == told["variables"]
    assert second.variables["name"] == "Bob"
    assert json.loads(second.variables["more"])["text"] == "x"
    assert "flywheel" not in fake.requests()[0].body


def test_what_our_own_field_does_not_know(gate):
    answer = gate.http().post("/v1/chat/completions", json={**ASK, "flywheel": {"subjekt": "ann"}})
    assert answer.status_code == 400
    assert "subjekt" in answer.json()["error"]["message"]


TOOL = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["up/small", "claude/big"])
def test_a_conversation_is_one_episode(gate, stream, model):
    client = gate.openai()
    history = [{"role": "system", "content": "be kind"}]
    for text in ("hello", "and then?", "bye"):
        history.append({"role": "user", "content": text})
        with client.chat.completions.stream(model=model, messages=history) as answer:
            said = answer.get_final_completion().choices[0].message
        if not stream:
            said = client.chat.completions.create(model=model, messages=history).choices[0].message
        history.append({"role": "assistant", "content": said.content})
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": "something else"}])
    episodes = [e.episode for e in gate.exchanges()]
    assert len(set(episodes[:-1])) == 1
    assert episodes[-1] not in episodes[:-1]


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_with_tools_is_one_episode(gate, fake, stream):
    fake.script({"rules": [{"times": 1, "tool_call": {"name": "weather"}, "answer": "let me see"}]})
    client = gate.openai()
    asked = {"model": "up/small", "tools": [{"type": "function", "function": TOOL}]}
    history = [{"role": "user", "content": "rain?"}]
    if stream:
        with client.chat.completions.stream(**asked, messages=history) as answer:
            said = answer.get_final_completion().choices[0].message
    else:
        said = client.chat.completions.create(**asked, messages=history).choices[0].message
    history.append(said.model_dump(exclude_none=True))
    history.append({"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "sunny"})
    client.chat.completions.create(**asked, messages=history)
    first, second = gate.exchanges()
    assert first.episode == second.episode


@pytest.mark.parametrize("stream", [False, True])
def test_messages_with_tools_are_one_episode(gate, fake, stream):
    fake.script({"rules": [{"times": 1, "tool_call": {"name": "weather"}, "answer": "let me see"}]})
    client = gate.anthropic()
    tool = {"name": "weather", "input_schema": TOOL["parameters"]}
    asked = {"model": "claude/big", "max_tokens": 99, "tools": [tool]}
    history = [{"role": "user", "content": "rain?"}]
    if stream:
        with client.messages.stream(**asked, messages=history) as answer:
            said = answer.get_final_message()
    else:
        said = client.messages.create(**asked, messages=history)
    history.append({"role": "assistant", "content": [b.model_dump(exclude_none=True) for b in said.content]})
    result = {"type": "tool_result", "tool_use_id": said.content[-1].id, "content": "sunny"}
    history.append({"role": "user", "content": [result]})
    client.messages.create(**asked, messages=history)
    first, second = gate.exchanges()
    assert first.episode == second.episode


@pytest.mark.parametrize("stream", [False, True])
def test_responses_with_tools_are_one_episode(gate, fake, stream):
    fake.script({"rules": [{"times": 1, "tool_call": {"name": "weather"}}]})
    client = gate.openai()
    asked = {"model": "up/small", "tools": [{"type": "function", **TOOL}]}
    history = [{"role": "user", "content": "rain?"}]
    if stream:
        with client.responses.stream(**asked, input=history) as answer:
            said = answer.get_final_response()
    else:
        said = client.responses.create(**asked, input=history)
    history += [item.model_dump(exclude_none=True) for item in said.output]
    history.append({"type": "function_call_output", "call_id": said.output[0].call_id, "output": "sunny"})
    client.responses.create(**asked, input=history)
    first, second = gate.exchanges()
    assert first.episode == second.episode


def test_own_answers_in_json_are_one_episode(taught):
    gate = taught()
    client = gate.openai()
    history = [{"role": "user", "content": "i want a refund"}]
    asked = {"model": "flywheel/route", "response_format": {"type": "json_object"}}
    said = client.chat.completions.create(**asked, messages=history).choices[0].message
    history += [{"role": "assistant", "content": said.content}, {"role": "user", "content": "and my parcel?"}]
    client.chat.completions.create(**asked, messages=history)
    first, second = gate.exchanges()
    assert first.episode == second.episode


def test_a_named_episode(gate):
    client = gate.openai()
    client.chat.completions.create(**ASK, extra_body={"flywheel": {"episode": "talk-7"}})
    client.chat.completions.create(**ASK, extra_headers={"x-flywheel-episode": "talk-8"})
    assert [e.episode for e in gate.exchanges()] == ["talk-7", "talk-8"]


def test_a_nul_byte(gate):
    gate.openai().chat.completions.create(
        model="up/small", messages=[{"role": "user", "content": "a\0b"}], user="x\0y"
    )
    [exchange] = gate.exchanges()
    assert (exchange.input, exchange.output) == ("a\0b", "Echo: a\0b")
    assert gate.openai().chat.completions.create(**ASK).choices


def test_half_a_surrogate_pair(gate, fake):
    """JavaScript cuts emoji in two, and JSON can say that, though no strict reader takes it."""
    body = rb'{"model": "up/small", "messages": [{"role": "user", "content": "a\ud83d \ud83d\ude00"}]}'
    answer = gate.http().post("/v1/chat/completions", content=body)
    assert answer.json()["choices"][0]["message"]["content"] == "Echo: a\ufffd \U0001f600"
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.input == "a\ufffd \U0001f600"
    assert call.request == body.replace(rb"\ud83d ", rb"\ufffd ")


def test_bytes_that_are_no_text(gate):
    body = b'{"model": "up/small", "messages": [{"role": "user", "content": "a\xffb"}]}'
    gate.http().post("/v1/chat/completions", content=body)
    [call], [exchange] = gate.calls(), gate.exchanges()
    assert call.request == body
    assert exchange.input == "a\ufffdb"


def test_a_repeated_upstream_id(gate, fake):
    fake.script({"rules": [{"repeat_id": True}]})
    client = gate.openai()
    answers = {client.chat.completions.create(**ASK).id for _ in range(5)}
    assert len(answers) == 1
    assert len({call.id for call in gate.calls()}) == 5
    assert len(gate.exchanges()) == 5


def test_a_prompt_of_ten_megabytes(gate):
    text = "lorem ipsum " * 833_334
    answer = gate.openai().chat.completions.create(
        model="up/small", messages=[{"role": "user", "content": text}]
    )
    assert answer.choices[0].message.content == f"Echo: {text}"
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.input == text
    assert len(call.request) > 10_000_000
    assert len(call.response) > 10_000_000


def test_a_streamed_prompt_of_ten_megabytes_that_is_cut(gate, fake):
    fake.script({"rules": [{"cut_after": 2}]})
    body = {"model": "up/small", "stream": True, "messages": [{"role": "user", "content": "x" * 10_000_000}]}
    answer = gate.http().post("/v1/chat/completions", json=body)
    assert "provider_cut" in answer.text
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert exchange.ended == "cut"
    assert call.input_tokens == 2_500_000, "a quarter of the characters: the provider told nothing"


def test_a_compressed_request_is_refused_in_words(gate):
    body = gzip.compress(json.dumps(ASK).encode())
    answer = gate.http().post("/v1/chat/completions", content=body, headers={"content-encoding": "gzip"})
    assert answer.status_code == 400
    assert "gzip" in answer.json()["error"]["message"]


def test_unusual_messages_still_arrive(gate, fake):
    odd = {"model": "up/small", "messages": "hello", "stream": None, "n": None, "metadata": [], "prompt": 5}
    answer = gate.http().post("/v1/chat/completions", json=odd)
    assert answer.status_code == 400, "the provider says so"
    assert fake.requests()[0].body["metadata"] == []
    assert gate.calls()[0].status == 400


def test_a_client_that_leaves_in_mid_stream(gate, fake, until):
    fake.script({"rules": [{"per_token": 0.05, "answer": "word " * 2000}]})
    with gate.http().stream("POST", "/v1/chat/completions", json={**ASK, "stream": True}) as answer:
        next(line for line in answer.iter_lines() if "word" in line)
    [exchange] = until(gate.exchanges)
    [call] = gate.calls()
    assert exchange.ended == "disconnected"
    assert exchange.output
    assert len(exchange.output) < len("word " * 2000)
    assert (call.estimated, call.input_tokens) == (True, 2)
    assert call.output_tokens == -(-len(exchange.output) // 4)
    assert exchange.cost > 0
    assert gate.openai().chat.completions.create(**ASK, max_tokens=1).choices, "its place is free again"


def test_the_providers_connection_is_closed_when_the_client_leaves(gateway, until):
    with socket.create_server(("127.0.0.1", 0)) as provider:
        url = f"http://127.0.0.1:{provider.getsockname()[1]}/v1"
        gate = gateway(serve={"providers": {"up": {"url": url}}})
        with ThreadPoolExecutor(1) as other:
            began = other.submit(_begin_to_stream, provider)
            with gate.http().stream("POST", "/v1/chat/completions", json={**ASK, "stream": True}) as answer:
                next(answer.iter_lines())
            with began.result() as connection:
                connection.settimeout(30)
                assert connection.recv(1) == b"", "the gateway hung up"
    [exchange] = until(gate.exchanges)
    assert exchange.ended == "disconnected"


def _begin_to_stream(provider: socket.socket) -> socket.socket:
    connection, _ = provider.accept()
    received = b""
    while not re.search(rb'"stream":true', received):
        received += connection.recv(65536)
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    connection.sendall(head + b"%x\r\n%s\r\n" % (len(chunk), chunk))
    return connection


def test_a_provider_that_counts_beyond_all_tables(gateway, until):
    """What cannot be kept is refused, and says nothing about the disk: the next request is taken."""
    with socket.create_server(("127.0.0.1", 0)) as provider:
        url = f"http://127.0.0.1:{provider.getsockname()[1]}/v1"
        gate = gateway(serve={"providers": {"claude": {"url": url, "dialect": "openai"}}})
        with ThreadPoolExecutor(1) as other:
            other.submit(_answer, provider, b'{"choices":[],"usage":{"prompt_tokens":%d}}' % 2**80)
            answer = gate.http().post("/v1/chat/completions", json={**ASK, "model": "claude/big"})
    assert answer.status_code == 503
    assert "cannot be kept" in answer.json()["error"]["message"]
    assert gate.openai().chat.completions.create(**ASK).choices


def _answer(provider: socket.socket, body: bytes) -> None:
    connection, _ = provider.accept()
    with connection:
        connection.recv(65536)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        connection.sendall(head % len(body) + body)


def test_a_store_that_can_no_longer_be_written(gate, until):
    """No answer without a row; and as soon as writing works again, answers."""
    client, http = gate.openai(), gate.http()
    fails = "CREATE TRIGGER {0}_fails BEFORE INSERT ON {0} BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
    with closing(sqlite3.connect(gate.store / "live.db", timeout=30)) as other:
        for table in ("journal", "spent"):
            other.execute(fails.format(table))
        statuses = [http.post("/v1/chat/completions", json=ASK).status_code for _ in range(2)]
        said = http.post("/v1/messages", json={**ASK, "model": "claude/big", "max_tokens": 9})
        assert (statuses, said.status_code) == ([503, 503], 503)
        assert "disk I/O error" in said.json()["error"]["message"]
        assert said.headers["retry-after"] == "1"
        for table in ("journal", "spent"):
            other.execute(f"DROP TRIGGER {table}_fails")
    until(lambda: http.post("/v1/chat/completions", json=ASK).status_code == 200)
    assert client.chat.completions.create(**ASK).choices
    assert len(gate.exchanges()) == 2


def test_a_stream_whose_row_cannot_be_written(gate):
    with closing(sqlite3.connect(gate.store / "live.db", timeout=30)) as other:
        other.execute("CREATE TRIGGER f BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'full'); END")
        with pytest.raises(openai.APIError, match="full"):
            list(gate.openai().chat.completions.create(**ASK, stream=True))
    assert not gate.exchanges()


def test_too_little_disk(gateway):
    gate = gateway(serve={"gateway": {"spare_disk": 10**18}})
    answer = gate.http().post("/v1/chat/completions", json=ASK)
    assert answer.status_code == 503
    assert "bytes of disk are left" in answer.json()["error"]["message"]
    assert StoreError.__name__ not in answer.text


def test_responses_that_follow_one_another_are_one_episode(gate):
    client = gate.openai()
    first = client.responses.create(model="up/small", input="where is my parcel?")
    second = client.responses.create(model="up/small", input="and now?", previous_response_id=first.id)
    client.responses.create(model="up/small", input="so?", previous_response_id=second.id)
    client.responses.create(model="up/small", input="hello", previous_response_id="resp_of_nobody")
    a, b, c, other = (exchange.episode for exchange in gate.exchanges())
    assert a == b == c != other


@pytest.mark.parametrize("conversation", ["conv_1", {"id": "conv_1"}])
def test_a_conversation_at_the_provider_names_the_episode(gate, conversation):
    gate.openai().responses.create(model="up/small", input="hello", conversation=conversation)
    assert [exchange.episode for exchange in gate.exchanges()] == ["conv_1"]

"""Clients of one dialect before providers of the other, judged by the SDKs; fallbacks that cross dialects."""

import json

import openai
import pytest

MESSAGES = [{"role": "user", "content": "where is my parcel?"}]
ECHO = "Echo: where is my parcel?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DOWN = [{"path": "/chat/completions", "status": 503}]
ACROSS = {"routes": {"answer": {"fallback": ["claude/big"], "retries": 0}}}


def test_an_openai_client_before_an_anthropic_provider(gate, fake):
    client = gate.openai()
    answer = client.chat.completions.create(model="claude/big", messages=MESSAGES)
    assert answer.choices[0].message.content == ECHO
    with client.chat.completions.stream(model="claude/big", messages=MESSAGES) as stream:
        assert stream.get_final_completion().choices[0].message.content == ECHO
    assert {seen.path for seen in fake.requests()} == {"/v1/messages"}
    assert [e.output for e in gate.exchanges()] == [ECHO, ECHO]
    assert all(call.response and not call.estimated for call in gate.calls()[:1])


def test_its_tools(gate):
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    asked = {"model": "claude/big", "messages": MESSAGES, "tools": tools, "tool_choice": "required"}
    [call] = gate.openai().chat.completions.create(**asked).choices[0].message.tool_calls
    assert set(json.loads(call.function.arguments)) == {"city"}
    with gate.openai().chat.completions.stream(**asked) as stream:
        [streamed] = stream.get_final_completion().choices[0].message.tool_calls
    assert streamed.function.arguments == call.function.arguments


def test_an_anthropic_client_before_an_openai_provider(gate, fake):
    client = gate.anthropic()
    asked = {"model": "up/small", "messages": MESSAGES, "max_tokens": 100}
    assert client.messages.create(**asked).content[0].text == ECHO
    with client.messages.stream(**asked) as stream:
        whole = stream.get_final_message()
    assert whole.content[0].text == ECHO
    assert {seen.path for seen in fake.requests()} == {"/v1/chat/completions"}
    assert whole.usage.output_tokens == 7
    assert [e.tokens for e in gate.exchanges()] == [12, 12]


def test_its_tools_and_its_stop_reason(gate):
    tool = {"name": "weather", "input_schema": SCHEMA}
    asked = {"model": "up/small", "messages": MESSAGES, "max_tokens": 100, "tools": [tool]}
    answer = gate.anthropic().messages.create(**asked, tool_choice={"type": "any"})
    assert (answer.stop_reason, answer.content[0].name) == ("tool_use", "weather")


@pytest.mark.parametrize("stream", [False, True])
def test_a_fallback_over_dialects(gateway, fake, stream):
    fake.script({"rules": DOWN})
    gate = gateway(serve=ACROSS)
    asked = {"model": "flywheel/answer", "messages": MESSAGES}
    client = gate.openai()
    if stream:
        with client.chat.completions.stream(**asked) as streamed:
            answer = streamed.get_final_completion()
    else:
        answer = client.chat.completions.create(**asked)
    assert answer.choices[0].message.content == ECHO
    [exchange], [call] = gate.exchanges(), gate.calls()
    assert (exchange.variant, exchange.ended) == ("claude/big", "")
    assert [(a.provider, a.status) for a in call.attempts] == [("up", 503), ("claude", 200)]


def test_errors_are_said_in_the_clients_dialect(gateway, fake):
    fake.script({"rules": [{"status": 529, "message": "too busy"}]})
    gate = gateway(serve=ACROSS)
    with pytest.raises(openai.InternalServerError, match="too busy"):
        gate.openai().chat.completions.create(model="flywheel/answer", messages=MESSAGES)
    with pytest.raises(openai.InternalServerError, match="too busy"):
        gate.openai().chat.completions.create(model="claude/big", messages=MESSAGES, stream=True)


def test_an_error_in_the_middle_of_the_other_dialects_stream(gate, fake):
    fake.script({"rules": [{"error_after": 4, "message": "out of breath"}]})
    with pytest.raises(openai.APIError, match="out of breath"):
        list(gate.openai().chat.completions.create(model="claude/big", messages=MESSAGES, stream=True))
    [exchange] = gate.exchanges()
    assert exchange.ended == "cut"


def test_a_cut_in_the_middle_of_the_other_dialects_stream(gate, fake):
    fake.script({"rules": [{"cut_after": 4}]})
    with pytest.raises(openai.APIError, match="broke off"):
        list(gate.openai().chat.completions.create(model="claude/big", messages=MESSAGES, stream=True))
    assert gate.exchanges()[0].ended == "cut"


def test_what_the_other_dialect_cannot_say(gate, fake):
    with pytest.raises(openai.BadRequestError, match="responses"):
        gate.openai().responses.create(model="claude/big", input="hello")
    with pytest.raises(openai.BadRequestError):
        gate.openai().chat.completions.create(model="claude/big", messages=MESSAGES, n=2)
    assert not fake.requests()


def test_who_cannot_be_asked_in_a_dialect_is_passed_over(gateway, fake):
    gate = gateway(serve=ACROSS)
    assert gate.openai().responses.create(model="flywheel/answer", input="hello").output_text == "Echo: hello"
    fake.script({"rules": [{"path": "/responses", "status": 503, "message": "closed today"}]})
    with pytest.raises(openai.InternalServerError, match="closed today"):
        gate.openai().responses.create(model="flywheel/answer", input="hello")
    assert [len(call.attempts) for call in gate.calls()] == [1, 1]

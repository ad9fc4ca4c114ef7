import json

import anthropic
import pytest
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "hello"}]
WEATHER = {
    "name": "weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class City(BaseModel):
    name: str


def ask(claude, messages=HELLO, max_tokens=100, **more):
    return claude.messages.create(model="fake-large", messages=messages, max_tokens=max_tokens, **more)


def test_the_last_user_message_is_echoed(claude):
    said = ask(claude)
    assert [(block.type, block.text) for block in said.content] == [("text", "Echo: hello")]
    assert (said.type, said.role, said.model) == ("message", "assistant", "fake-large")
    assert (said.stop_reason, said.stop_sequence) == ("end_turn", None)
    assert said.id.startswith("msg_")


def test_everything_that_was_sent_is_counted(claude):
    result = [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "1234"}]}]
    messages = [*HELLO, {"role": "assistant", "content": "abc"}, {"role": "user", "content": result}]
    said = ask(claude, messages, system=[{"type": "text", "text": "12345678"}])
    assert said.usage.input_tokens == 5  # 5 + 3 + 4 + 8 characters
    assert said.content[0].text == "Echo: 1234"
    assert said.usage.output_tokens == 3


def test_tokens_are_counted_without_an_answer(fake, claude):
    counted = claude.messages.count_tokens(model="m", messages=HELLO, system="123")
    assert counted.input_tokens == 2
    assert fake.bill().models == []


def test_a_stream_has_the_real_events_in_their_order(http):
    body = {"model": "m", "messages": HELLO, "max_tokens": 9, "stream": True}
    text = http.post("/v1/messages", json=body).text
    events = [block.split("\n") for block in text.strip().split("\n\n")]
    assert [name.removeprefix("event: ") for name, _ in events] == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert all(json.loads(data[6:])["type"] == name[7:] for name, data in events)


def test_the_sdk_puts_a_stream_together(claude):
    with claude.messages.stream(model="fake-large", messages=HELLO, max_tokens=100) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert pieces == ["Echo", ": he", "llo"]
    assert final.content[0].text == "Echo: hello"
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 3)


def test_a_limit_cuts_the_answer(claude):
    said = ask(claude, max_tokens=1)
    assert (said.content[0].text, said.stop_reason) == ("Echo", "max_tokens")


def test_an_empty_answer_has_no_blocks(fake, claude):
    fake.script({"rules": [{"answer": ""}]})
    assert ask(claude).content == []
    assert [e.type for e in ask(claude, stream=True)] == ["message_start", "message_delta", "message_stop"]


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "weather"}])
def test_a_required_tool_is_used(claude, choice):
    said = ask(claude, tools=[WEATHER], tool_choice=choice)
    [block] = said.content
    assert (block.type, block.name, block.input) == ("tool_use", "weather", {"city": "text"})
    assert said.stop_reason == "tool_use"


def test_tools_alone_use_nothing(claude):
    said = ask(claude, tools=[WEATHER], tool_choice={"type": "auto"})
    assert [block.type for block in said.content] == ["text"]


def test_a_told_tool_use_is_streamed_after_its_text(fake, claude):
    fake.script(
        {"rules": [{"answer": "wait", "tool_call": {"name": "weather", "arguments": {"city": "Rome"}}}]}
    )
    with claude.messages.stream(model="m", messages=HELLO, max_tokens=9, tools=[WEATHER]) as stream:
        final = stream.get_final_message()
    text, use = final.content
    assert (text.text, use.input) == ("wait", {"city": "Rome"})
    assert final.stop_reason == "tool_use"


def test_a_schema_is_answered_with_json_that_fits(claude):
    said = claude.messages.parse(model="m", messages=HELLO, max_tokens=99, output_format=City)
    assert said.parsed_output == City(name="text")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"messages": HELLO, "max_tokens": 1}, "model: Field required"),
        ({"model": "m", "max_tokens": 1}, "messages: Field required"),
        ({"model": "m", "messages": HELLO}, "max_tokens: Field required"),
        (
            {"model": "m", "messages": [{"role": 1}], "max_tokens": 1},
            "messages.0.role: Input should be a string",
        ),
        ({"model": "m", "messages": HELLO, "max_tokens": 0}, "max_tokens: Input should be an integer >= 1"),
        ([], "body: Input should be an object"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(http, body, message):
    response = http.post("/v1/messages", json=body)
    said = response.json()
    assert response.status_code == 400
    assert said["type"] == "error"
    assert said["error"] == {"type": "invalid_request_error", "message": message}
    assert said["request_id"] == response.headers["request-id"]


def test_what_is_not_json_is_refused(http):
    response = http.post("/v1/messages", content=b"{")
    assert response.status_code == 400
    assert "not valid JSON" in response.json()["error"]["message"]


def test_an_error_in_mid_stream_raises_in_the_sdk(fake, claude):
    fake.script({"rules": [{"error_after": 4, "code": "overloaded_error", "message": "Overloaded"}]})
    seen = []
    with pytest.raises(anthropic.APIStatusError, match="Overloaded") as caught:
        seen.extend(ask(claude, stream=True))
    assert [event.type for event in seen] == ["message_start", "content_block_start", "content_block_delta"]
    assert caught.value.body["error"]["type"] == "overloaded_error"

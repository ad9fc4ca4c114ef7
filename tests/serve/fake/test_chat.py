import json

import openai
import pytest
from pydantic import BaseModel

HELLO = [{"role": "system", "content": "Be calm."}, {"role": "user", "content": "hello"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}
TIME = {"type": "function", "function": {"name": "time"}}


class Point(BaseModel):
    x: int
    name: str


class Shape(BaseModel):
    points: list[Point]
    closed: bool


def ask(client, messages=HELLO, **more):
    return client.chat.completions.create(model="fake-small", messages=messages, **more)


def test_the_last_user_message_is_echoed(client):
    said = ask(client, [*HELLO, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "again"}])
    assert said.choices[0].message.content == "Echo: again"
    assert said.choices[0].message.role == "assistant"
    assert said.choices[0].finish_reason == "stop"
    assert (said.object, said.model) == ("chat.completion", "fake-small")


def test_the_same_request_gets_the_same_answer_with_another_id(client):
    first, second = ask(client), ask(client)
    assert first.choices == second.choices
    assert first.usage == second.usage
    assert first.id != second.id


def test_the_text_of_all_parts_is_heard(client):
    parts = [
        {"type": "text", "text": "what is "},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "text", "text": "this"},
    ]
    assert (
        ask(client, [{"role": "user", "content": parts}]).choices[0].message.content == "Echo: what is this"
    )


def test_a_token_is_four_characters_rounded_up(client):
    usage = ask(client).usage
    assert usage.prompt_tokens == 4  # "Be calm." and "hello": 13 characters
    assert usage.completion_tokens == 3  # "Echo: hello": 11 characters
    assert usage.total_tokens == 7


def test_a_stream_says_the_same_token_by_token(client):
    chunks = list(ask(client, stream=True))
    assert [c.choices[0].delta.content for c in chunks] == ["", "Echo", ": he", "llo", None]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [c.choices[0].finish_reason for c in chunks] == [None] * 4 + ["stop"]
    assert len({c.id for c in chunks}) == 1
    assert all(c.object == "chat.completion.chunk" and c.usage is None for c in chunks)


def test_the_usage_chunk_comes_last_without_choices(client):
    *chunks, last = ask(client, stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    assert last.usage == ask(client).usage
    assert all(c.usage is None and c.choices for c in chunks)


@pytest.mark.parametrize(("options", "keys"), [({}, 0), ({"include_usage": True}, 6)])
def test_usage_is_null_in_the_chunks_before_it(http, options, keys):
    body = {"model": "m", "messages": HELLO, "stream": True, "stream_options": options}
    text = http.post("/v1/chat/completions", json=body).text
    assert text.count('"usage":') == keys
    assert text.count('"usage":null') == max(keys - 1, 0)


def test_a_stream_ends_with_done(http):
    body = {"model": "m", "messages": HELLO, "stream": True}
    response = http.post("/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("\n\ndata: [DONE]\n\n")
    assert all(line.startswith("data: ") for line in response.text.split("\n\n") if line)


def test_unicode_survives_the_stream(client):
    text = "naïve 日本語 🙂🙃 \0 end"
    chunks = ask(client, [{"role": "user", "content": text}], stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == f"Echo: {text}"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_cuts_the_answer(client, name):
    said = ask(client, **{name: 2})
    assert (said.choices[0].message.content, said.choices[0].finish_reason) == ("Echo: he", "length")
    assert said.usage.completion_tokens == 2
    chunks = list(ask(client, stream=True, **{name: 2}))
    assert chunks[-1].choices[0].finish_reason == "length"


def test_several_choices(client):
    said = ask(client, n=3)
    assert [c.index for c in said.choices] == [0, 1, 2]
    assert said.usage.completion_tokens == 9
    streamed = ["", "", ""]
    for chunk in ask(client, n=3, stream=True):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert streamed == ["Echo: hello"] * 3


def test_logprobs_cover_every_token(client):
    [choice] = ask(client, logprobs=True, top_logprobs=3).choices
    tokens = choice.logprobs.content
    assert "".join(t.token for t in tokens) == "Echo: hello"
    assert b"".join(bytes(t.bytes) for t in tokens).decode() == "Echo: hello"
    for token in tokens:
        assert len(token.top_logprobs) == 3
        assert token.top_logprobs[0].token == token.token
        ranks = [t.logprob for t in token.top_logprobs]
        assert ranks == sorted(ranks, reverse=True)
        assert max(ranks) < 0


def test_logprobs_are_only_given_when_wanted(client):
    assert ask(client).choices[0].logprobs is None
    chunks = list(ask(client, stream=True, logprobs=True))
    said = [c.choices[0].logprobs.content[0].token for c in chunks if c.choices[0].delta.content]
    assert said == ["Echo", ": he", "llo"]


def test_tools_alone_call_nothing(client):
    message = ask(client, tools=[WEATHER]).choices[0].message
    assert message.tool_calls is None
    assert message.content == "Echo: hello"


@pytest.mark.parametrize(
    ("choice", "name"),
    [("required", "weather"), ({"type": "function", "function": {"name": "time"}}, "time")],
)
def test_a_required_tool_is_called_with_arguments_that_fit(client, choice, name):
    [said] = ask(client, tools=[WEATHER, TIME], tool_choice=choice).choices
    assert said.finish_reason == "tool_calls"
    assert said.message.content is None
    [call] = said.message.tool_calls
    assert call.function.name == name
    arguments = json.loads(call.function.arguments)
    assert arguments == ({"city": "text", "days": 1} if name == "weather" else {})


def test_a_tool_call_can_be_told_and_streamed(fake, client):
    fake.script({"rules": [{"tool_call": {"name": "weather", "arguments": {"city": "Oslo"}}}]})
    [call] = ask(client, tools=[WEATHER]).choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    with client.chat.completions.stream(model="m", messages=HELLO, tools=[WEATHER]) as stream:
        final = stream.get_final_completion().choices[0]
    [streamed] = final.message.tool_calls
    assert (streamed.function.name, streamed.function.arguments) == ("weather", call.function.arguments)
    assert final.finish_reason == "tool_calls"


def test_a_tool_call_may_stand_beside_a_text(fake, client):
    fake.script({"rules": [{"answer": "I look.", "tool_call": {"name": "weather"}}]})
    message = ask(client, tools=[WEATHER]).choices[0].message
    assert message.content == "I look."
    assert json.loads(message.tool_calls[0].function.arguments) == {"city": "text", "days": 1}


def test_a_told_answer_beats_a_required_tool(fake, client):
    fake.script({"rules": [{"answer": "no"}]})
    message = ask(client, tools=[WEATHER], tool_choice="required").choices[0].message
    assert (message.content, message.tool_calls) == ("no", None)


def test_a_schema_is_answered_with_json_that_fits(client):
    said = client.chat.completions.parse(model="m", messages=HELLO, response_format=Shape)
    shape = said.choices[0].message.parsed
    assert isinstance(shape, Shape)
    assert shape.points[0].name == "text"


def test_a_json_object_echoes(client):
    said = ask(client, response_format={"type": "json_object"}).choices[0].message.content
    assert json.loads(said) == {"echo": "hello"}


def test_plain_text_may_be_asked_for(client):
    assert ask(client, response_format={"type": "text"}).choices[0].message.content == "Echo: hello"


def test_unknown_parameters_are_let_through(client):
    said = ask(client, seed=1, user="u", extra_body={"new_parameter": {"deep": [1]}})
    assert said.choices[0].message.content == "Echo: hello"


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"messages": HELLO}, "model", "missing_required_parameter"),
        ({"model": "m"}, "messages", "missing_required_parameter"),
        ({"model": "m", "messages": []}, "messages", "invalid_value"),
        ({"model": "m", "messages": "hello"}, "messages", "invalid_type"),
        ({"model": 1, "messages": HELLO}, "model", "invalid_type"),
        ({"model": "m", "messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
        ({"model": "m", "messages": [{"role": "user", "content": 3}]}, "messages[0].content", "invalid_type"),
        ({"model": "m", "messages": HELLO, "n": 0}, "n", "invalid_value"),
        ({"model": "m", "messages": HELLO, "temperature": "hot"}, "temperature", "invalid_type"),
        ({"model": "m", "messages": HELLO, "temperature": 2.5}, "temperature", "invalid_value"),
        ({"model": "m", "messages": HELLO, "top_logprobs": 21}, "top_logprobs", "invalid_value"),
        ([], None, "invalid_type"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(http, body, param, code):
    response = http.post("/v1/chat/completions", json=body)
    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert (param or "body") in error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"model": "\xff"}', b'{"model": "m", "messages": [}'])
def test_what_is_not_json_is_refused(http, body):
    response = http.post("/v1/chat/completions", content=body)
    assert response.status_code == 400
    assert "could not parse the JSON body" in response.json()["error"]["message"]
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_the_sdk_raises_bad_request_with_the_param(client):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, n=0)
    assert caught.value.param == "n"
    assert caught.value.request_id.startswith("req_")

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.serve._dialects import DEFAULT_MAX_TOKENS, Untranslatable, chat_to_messages

TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
IMAGE = {"type": "image_url", "image_url": {"url": PIXEL}}


def text(said):
    return {"type": "text", "text": said}


def call(id, arguments):
    return {"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}}


def translated(messages=({"role": "user", "content": "hi"},), **more):
    return json.loads(
        chat_to_messages(json.dumps({"model": "x", "messages": messages, **more}).encode(), "claude")
    )


def test_a_conversation_with_tools_and_an_image(accepted):
    chat = {
        "model": "gpt-5.4",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "developer", "content": [text("Use metric units.")]},
            {"role": "user", "name": "jo", "content": [text("Where is this? ☀️"), {
                "type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}]},
            {"role": "assistant", "content": None, "tool_calls": [
                call("call_1", '{"city": "Zürich"}'), call("call_2", '{"city":"Bern"}')]},
            {"role": "tool", "tool_call_id": "call_1", "content": "21 °C"},
            {"role": "tool", "tool_call_id": "call_2", "content": [text("19 °C")]},
            {"role": "user", "content": "And tomorrow?"},
        ],
        "max_completion_tokens": 300, "temperature": 1.7, "top_p": 0.9, "stop": ["END", "STOP"],
        "stream": True, "stream_options": {"include_usage": True}, "user": "u-1",
        "tools": [TOOL], "tool_choice": "required",
        "parallel_tool_calls": False, "reasoning_effort": "low", "seed": 7, "n": 1, "logprobs": False,
        "frequency_penalty": 0.1, "presence_penalty": 0, "store": True, "metadata": {"a": "b"},
        "verbosity": "low",
        "service_tier": "auto", "prediction": None, "response_format": {"type": "text"},
        "modalities": ["text"], "prompt_cache_key": "k", "some_future_parameter": {"x": 1},
    }  # fmt: skip
    request = accepted("messages", chat_to_messages(json.dumps(chat).encode(), "claude-sonnet"))
    assert request == {
        "model": "claude-sonnet",
        "max_tokens": 300,
        "system": [text("Be kind."), text("Use metric units.")],
        "messages": [
            {"role": "user", "content": [text("Where is this? ☀️"), {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Zürich"}},
                {"type": "tool_use", "id": "call_2", "name": "weather", "input": {"city": "Bern"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [text("21 °C")]},
                {"type": "tool_result", "tool_use_id": "call_2", "content": [text("19 °C")]},
                text("And tomorrow?")]},
        ],
        "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "temperature": 1.0, "top_p": 0.9, "stop_sequences": ["END", "STOP"], "stream": True,
        "metadata": {"user_id": "u-1"},
    }  # fmt: skip


def test_the_shortest_request(accepted):
    body = b'{"model":"gpt-5.4","messages":[{"role":"user","content":"hi"}]}'
    assert accepted("messages", chat_to_messages(body, "claude")) == {
        "model": "claude",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "messages": [{"role": "user", "content": [text("hi")]}],
    }


@pytest.mark.parametrize(
    ("given_", "limit"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6, "max_tokens": 5}, 6),
        ({"max_tokens": 0}, 0),
        ({"max_tokens": None}, 4096),
    ],
)
def test_the_limit_of_tokens(given_, limit):
    assert translated(**given_)["max_tokens"] == limit


@pytest.mark.parametrize(("asked", "sent"), [(0, 0.0), (0.3, 0.3), (2, 1.0), (-1, 0.0)])
def test_temperature_is_clipped(asked, sent):
    assert translated(temperature=asked)["temperature"] == sent


def test_temperature_and_top_p_can_be_left_to_the_model():
    body = b'{"messages":[{"role":"user","content":"x"}],"temperature":0,"top_p":0.5,"stop":"E"}'
    assert translated(temperature=0, top_p=0.5)["top_p"] == 0.5
    request = json.loads(chat_to_messages(body, "claude", sampling=False))
    assert not {"temperature", "top_p"} & set(request)
    assert request["stop_sequences"] == ["E"]


def test_nulls_are_absent():
    names = ["stop", "temperature", "top_p", "stream", "user", "tools", "tool_choice", "response_format", "n"]
    assert translated(**dict.fromkeys(names)) == translated()


def test_one_stop_may_be_a_string():
    assert translated(stop="END")["stop_sequences"] == ["END"]
    assert "stop_sequences" not in translated(stop=[])


def test_the_person_may_be_named_by_either_parameter():
    assert translated(safety_identifier="s")["metadata"] == {"user_id": "s"}
    assert translated(safety_identifier="s", user="u")["metadata"] == {"user_id": "u"}
    assert "metadata" not in translated(user="")


def test_stream_false_is_said():
    assert translated(stream=False)["stream"] is False


def test_a_choice_without_tools_is_left_out():
    assert translated(tool_choice="auto", parallel_tool_calls=False, tools=[]) == translated()


def test_a_json_schema_is_asked_for(accepted):
    schema = {"type": "object", "properties": {"a": {"type": "number"}}, "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}
    body = {"messages": [{"role": "user", "content": "x"}], "response_format": form}
    request = accepted("messages", chat_to_messages(json.dumps(body).encode(), "claude"))
    assert request["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


# Turns


def test_turns_of_one_role_are_merged():
    said = [{"role": role, "content": role[0]} for role in ("user", "user", "assistant", "assistant", "user")]
    assert translated(said)["messages"] == [
        {"role": "user", "content": [text("u"), text("u")]},
        {"role": "assistant", "content": [text("a"), text("a")]},
        {"role": "user", "content": [text("u")]},
    ]


def test_a_late_system_message_moves_to_the_front_and_its_neighbours_meet():
    said = [
        {"role": "user", "content": "a"},
        {"role": "system", "content": "s"},
        {"role": "user", "content": "b"},
    ]
    request = translated(said)
    assert request["system"] == [text("s")]
    assert request["messages"] == [{"role": "user", "content": [text("a"), text("b")]}]


def test_turns_that_say_nothing_are_left_out():
    said = [
        {"role": "system", "content": ""},
        {"role": "user", "content": " "},
        {"role": "assistant", "content": None},
        {"role": "user", "content": "x"},
    ]
    request = translated(said)
    assert "system" not in request
    assert request["messages"] == [{"role": "user", "content": [text("x")]}]


def test_text_and_calls_share_a_turn():
    said = {"role": "assistant", "content": "I look.", "tool_calls": [call("functions.weather:0", "")]}
    result = {"role": "tool", "tool_call_id": "functions.weather:0", "content": ""}
    assert translated([said, result])["messages"] == [
        {
            "role": "assistant",
            "content": [
                text("I look."),
                {"type": "tool_use", "id": "functions_weather_0", "name": "weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "functions_weather_0", "content": []}],
        },
    ]


def test_a_refusal_is_what_the_assistant_said():
    said = [{"role": "user", "content": "x"}, {"role": "assistant", "content": None, "refusal": "No."}]
    assert translated(said)["messages"][1] == {"role": "assistant", "content": [text("No.")]}


# What cannot be said


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({"n": 2}, "n = 2: the Messages API gives one answer"),
        ({"logprobs": True}, "has no 'logprobs'; leave it out, or choose an OpenAI-compatible"),
        ({"top_logprobs": 3}, "'top_logprobs'"),
        ({"logit_bias": {"50256": -100}}, "'logit_bias'"),
        ({"audio": {"voice": "x", "format": "wav"}}, "'audio'"),
        ({"modalities": ["text", "audio"]}, "answers in text only"),
        ({"functions": [{"name": "f"}]}, "'functions'"),
        ({"web_search_options": {}}, "'web_search_options'"),
        ({"moderation": {"model": "m"}}, "'moderation'"),
        ({"response_format": {"type": "json_object"}}, "response_format 'json_object'"),
        ({"response_format": {"type": "json_schema"}}, "json_schema with a schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "json_schema with a schema",
        ),
        ({"stop": ["\n"]}, "blank stop sequences"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "type 'custom'"),
        ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools"}}, "tool_choice 'allowed_tools'"),
        ({"temperature": "hot"}, r"cannot be read: .*\$.temperature"),
    ],
)
def test_what_the_messages_api_has_not_is_refused(given_, why):
    with pytest.raises(Untranslatable, match=why):
        translated(**given_)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"role": "function", "name": "f", "content": "x"}, "role is 'function'; choices: system, developer"),
        ({"role": "assistant", "audio": {"id": "a"}}, "holds 'audio'"),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}, "holds 'function_call'"),
        ({"role": "assistant", "tool_calls": [call("c", "{")]}, "of the tool call 'c' cannot be read"),
        ({"role": "tool", "content": "x"}, "no tool_call_id"),
        ({"role": "tool", "tool_call_id": "c", "content": [IMAGE]},
         "a tool message holds more than text"),
        ({"role": "system", "content": [IMAGE]}, "more than text"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "'input_audio'"),
        ({"role": "user", "content": {"text": "x"}}, r"\$.messages\[1\].content"),
        ({"content": "x"}, "missing required field `role`"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_said_is_refused(message, why):
    with pytest.raises(Untranslatable, match=why):
        translated([{"role": "user", "content": "hi"}, message])


@pytest.mark.parametrize(
    "messages", [[], [{"role": "system", "content": "x"}], [{"role": "user", "content": ""}]]
)
def test_a_conversation_without_turns_is_refused(messages):
    with pytest.raises(Untranslatable, match="no user or assistant turn"):
        translated(messages)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"messages": "x"}', b"\xff\xfe", b'{"messages":[{"role":"\xff"}]}']
)
def test_a_body_of_another_shape_is_refused(body):
    with pytest.raises(Untranslatable, match="the chat completions request cannot be read"):
        chat_to_messages(body, "claude")


# Properties

texts = st.text(max_size=20)
urls = st.sampled_from([PIXEL, "https://example.com/ü.png"])
parts = st.lists(
    st.builds(text, texts) | st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, urls),
    max_size=3,
)
arguments = st.dictionaries(texts, texts | st.integers() | st.none(), max_size=2).map(json.dumps)
messages = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "developer"]), "content": texts}),
    st.fixed_dictionaries({"role": st.just("user"), "content": texts | parts}),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": texts | st.none()},
        optional={"tool_calls": st.lists(st.builds(call, st.just("call.1"), arguments), max_size=2)},
    ),
    st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": texts.filter(bool), "content": texts}),
)
options = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(-1, 3) | st.none(),
        "top_p": st.floats(0, 1),
        "max_tokens": st.integers(1, 10**6) | st.none(),
        "stop": st.none() | st.just("E") | st.lists(st.just("END"), max_size=4),
        "stream": st.booleans(),
        "user": texts,
        "tools": st.lists(st.just(TOOL), max_size=1),
        "tool_choice": st.sampled_from(["auto", "none", "required"]),
        "parallel_tool_calls": st.booleans(),
    },
)


@given(st.lists(messages, max_size=6), options)
def test_every_translation_is_accepted_and_alternates(accepted, said, more):
    said = [*said, {"role": "user", "content": "end"}]
    body = json.dumps({"model": "gpt", "messages": said, **more}).encode()
    request = accepted("messages", chat_to_messages(body, "claude"))
    roles = [turn["role"] for turn in request["messages"]]
    assert all(a != b for a, b in pairwise(roles))
    assert all(turn["content"] for turn in request["messages"])
    assert 0 <= request.get("temperature", 0) <= 1

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.serve._dialects import Untranslatable, chat_to_messages, messages_to_chat

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "weather", "description": "Today's weather", "input_schema": SCHEMA}


def text(said, **more):
    return {"type": "text", "text": said, **more}


def use(id, **input):
    return {"type": "tool_use", "id": id, "name": "weather", "input": input}


def call(id, arguments):
    return {"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}}


def translated(messages=({"role": "user", "content": "hi"},), **more):
    body = {"model": "x", "max_tokens": 9, "messages": messages, **more}
    return json.loads(messages_to_chat(json.dumps(body).encode(), "gpt"))


def test_a_conversation_with_tools_and_an_image(accepted):
    cache = {"cache_control": {"type": "ephemeral"}}
    asked = {
        "model": "claude-opus",
        "max_tokens": 1024,
        "system": [text("Be kind.", **cache), text("Use metric units.")],
        "messages": [
            {"role": "user", "content": [text("Where is this? ☀️"), {
                "type": "image", **cache,
                "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
                {"type": "redacted_thinking", "data": "EmwKAhgB"},
                text("I "), text("look."), use("toolu_1", city="Zürich"), use("toolu_2", city="Bern")]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "21 °C"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": True,
                 "content": [text("no such"), text("town")]},
                text("And tomorrow?")]},
        ],
        "tools": [TOOL], "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "temperature": 0.7, "top_p": 0.9, "top_k": 40, "stop_sequences": ["END"], "stream": True,
        "metadata": {"user_id": "u-1"}, "thinking": {"type": "enabled", "budget_tokens": 2000},
        "service_tier": "auto", "output_config": {"effort": "low"}, "some_future_parameter": 1,
    }  # fmt: skip
    request = accepted("chat", messages_to_chat(json.dumps(asked, ensure_ascii=False).encode(), "gpt-5.4"))
    assert request == {
        "model": "gpt-5.4",
        "messages": [
            {"role": "system", "content": "Be kind.\nUse metric units."},
            {"role": "user", "content": [text("Where is this? ☀️"), {
                "type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]},
            {"role": "assistant", "content": "I look.", "tool_calls": [
                call("toolu_1", '{"city":"Zürich"}'), call("toolu_2", '{"city":"Bern"}')]},
            {"role": "tool", "tool_call_id": "toolu_1", "content": "21 °C"},
            {"role": "tool", "tool_call_id": "toolu_2", "content": "Error: no such\ntown"},
            {"role": "user", "content": "And tomorrow?"},
        ],
        "max_completion_tokens": 1024,
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "Today's weather", "parameters": SCHEMA}}],
        "tool_choice": "required", "parallel_tool_calls": False,
        "temperature": 0.7, "top_p": 0.9, "stop": ["END"], "stream": True,
        "stream_options": {"include_usage": True}, "user": "u-1",
    }  # fmt: skip


def test_the_shortest_request(accepted):
    body = b'{"model":"claude","max_tokens":5,"messages":[{"role":"user","content":"Hello, Claude"}]}'
    assert accepted("chat", messages_to_chat(body, "gpt")) == {
        "model": "gpt",
        "messages": [{"role": "user", "content": "Hello, Claude"}],
        "max_completion_tokens": 5,
    }


def test_only_a_stream_asks_for_usage():
    assert translated(stream=False)["stream"] is False
    assert "stream_options" not in translated(stream=False)


def test_a_json_schema_is_asked_for(accepted):
    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    body = {"max_tokens": 1, "messages": [{"role": "user", "content": "x"}], "output_config": form}
    request = accepted("chat", messages_to_chat(json.dumps(body).encode(), "gpt"))
    assert request["response_format"]["json_schema"] == {"name": "answer", "schema": SCHEMA, "strict": True}


def test_a_system_prompt_may_be_a_string_or_empty():
    assert translated(system="Be kind.")["messages"][0] == {"role": "system", "content": "Be kind."}
    assert translated(system=[]) == translated(system="") == translated(system=None) == translated()


def test_a_system_message_in_the_middle_stays_there():
    said = [{"role": "user", "content": "a"}, {"role": "system", "content": [text("s")]}]
    assert translated(said)["messages"][1] == {"role": "system", "content": "s"}


def test_results_come_before_what_else_is_said():
    said = [text("first"), {"type": "tool_result", "tool_use_id": "t"}]
    assert translated([{"role": "user", "content": said}])["messages"] == [
        {"role": "tool", "tool_call_id": "t", "content": ""},
        {"role": "user", "content": "first"},
    ]


def test_calls_without_text_have_null_content():
    [message] = translated([{"role": "assistant", "content": [use("t")]}])["messages"]
    assert message == {"role": "assistant", "content": None, "tool_calls": [call("t", "{}")]}


@pytest.mark.parametrize("content", ["", [], [{"type": "thinking", "thinking": "Hm.", "signature": "x"}]])
def test_an_assistant_who_says_nothing_says_the_empty_text(content):
    assert translated([{"role": "assistant", "content": content}])["messages"] == [
        {"role": "assistant", "content": ""}
    ]


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ({"mcp_servers": [{"type": "url"}]}, "no 'mcp_servers'"),
        ({"container": "c_1"}, "no 'container'"),
        ({"context_management": {"edits": [1]}}, "no 'context_management'"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "runs only on Anthropic's servers"),
        ({"tools": [TOOL], "tool_choice": {"type": "x"}}, "choices: auto, any, tool, none"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format is 'xml'"),
        ({"system": [{"type": "image"}]}, "system holds a block 'image'"),
        ({"max_tokens": None}, r"cannot be read: .*\$.max_tokens"),
    ],
)
def test_what_chat_completions_have_not_is_refused(given_, why):
    with pytest.raises(Untranslatable, match=why):
        translated(**given_)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"role": "tool", "content": "x"}, "role is 'tool'; choices: user, assistant, system"),
        ({"role": "user", "content": None}, r"\$.messages\[0\].content"),
        ({"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}, "'container_upload'"),
        ({"role": "assistant", "content": [{"type": "server_tool_use", "id": "s", "name": "web_search"}]},
         "an assistant message holds a block 'server_tool_use'"),
        ({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image"}]}]},
         "a tool_result holds a block 'image'"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_said_is_refused(message, why):
    with pytest.raises(Untranslatable, match=why):
        translated([message])


@pytest.mark.parametrize("body", [b"", b"{}", b"nope", b'{"messages":[],"max_tokens":"1"}', b"\xff"])
def test_a_body_of_another_shape_is_refused(body):
    with pytest.raises(Untranslatable, match="the messages request cannot be read"):
        messages_to_chat(body, "gpt")


# Properties

texts = st.text(max_size=20)
images = st.sampled_from([
    {"type": "image", "source": {"type": "url", "url": "https://example.com/ü.png"}},
    {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "R0lGOD=="}},
])  # fmt: skip
uses = st.builds(use, st.sampled_from(["toolu_1", "toolu_2"]), city=texts)
results = st.builds(
    lambda id, said: {"type": "tool_result", "tool_use_id": id, "content": said},
    st.sampled_from(["toolu_1", "toolu_2"]), texts | st.lists(st.builds(text, texts), max_size=2),
)  # fmt: skip
messages = st.one_of(
    st.fixed_dictionaries({
        "role": st.just("user"),
        "content": texts | st.lists(st.builds(text, texts) | images | results, max_size=4),
    }),
    st.fixed_dictionaries({
        "role": st.just("assistant"), "content": texts | st.lists(st.builds(text, texts) | uses, max_size=4),
    }),
)  # fmt: skip
options = st.fixed_dictionaries(
    {},
    optional={
        "system": texts | st.lists(st.builds(text, texts), max_size=2),
        "temperature": st.floats(0, 1),
        "stop_sequences": st.lists(texts, max_size=2),
        "stream": st.booleans(),
        "tools": st.lists(st.just(TOOL), max_size=1),
        "tool_choice": st.sampled_from([{"type": "auto"}, {"type": "tool", "name": "weather"}]),
        "metadata": st.fixed_dictionaries({"user_id": texts | st.none()}),
    },
)


@given(st.lists(messages, max_size=6), options)
def test_every_translation_is_accepted(accepted, said, more):
    body = json.dumps({"model": "claude", "max_tokens": 1, "messages": said, **more}).encode()
    accepted("chat", messages_to_chat(body, "gpt"))


words = st.text(max_size=20).filter(str.strip)


@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=3), words)
def test_there_and_back_a_conversation_is_the_same(rounds, system):
    said = []
    for i, (asked, found, answer) in enumerate(rounds):
        result = {"type": "tool_result", "tool_use_id": f"toolu_{i}", "content": [text(found)]}
        said += [
            {"role": "user", "content": [text(asked)]},
            {"role": "assistant", "content": [text("I look."), use(f"toolu_{i}", city=asked)]},
            {"role": "user", "content": [result]},
            {"role": "assistant", "content": [text(answer)]},
        ]
    asked = {
        "model": "m",
        "max_tokens": 7,
        "system": [text(system)],
        "messages": said,
        "stop_sequences": ["END"],
    }
    chat = messages_to_chat(json.dumps(asked).encode(), "gpt")
    assert json.loads(chat_to_messages(chat, "m")) == asked

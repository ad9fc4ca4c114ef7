import json

import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from openflywheel.serve._dialects import Untranslatable, chat_to_messages_reply, messages_to_chat_reply

MESSAGE = {
    "id": "msg_013Zva2CMHLNnjNjJKqJ2EF",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hi! My name is Claude. 👋"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "stop_details": None,
    "usage": {
        "input_tokens": 2095,
        "output_tokens": 503,
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 2000,
        "service_tier": "standard",
    },
}
COMPLETION = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion",
    "created": 1741569952,
    "model": "gpt-5.4",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello!", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 4, "accepted_prediction_tokens": 0},
    },
    "service_tier": "default",
    "system_fingerprint": None,
}
THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "EqQBCgIYAhIM"}
USE = {"type": "tool_use", "id": "toolu_01D7", "name": "weather", "input": {"city": "Zürich"}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}


def to_chat(**changes):
    body = messages_to_chat_reply(
        json.dumps(MESSAGE | changes, ensure_ascii=False).encode(), "claude", 1700000000
    )
    ChatCompletion.model_validate_json(body, strict=True)
    return json.loads(body)


def to_messages(finish="stop", message=None, **changes):
    said = (
        {"role": "assistant", "content": None} | message if message else COMPLETION["choices"][0]["message"]
    )
    choices = [{"index": 0, "message": said, "finish_reason": finish}]
    body = chat_to_messages_reply(json.dumps(COMPLETION | {"choices": choices} | changes).encode())
    Message.model_validate_json(body, strict=True)
    return json.loads(body)


def test_anthropics_message_is_a_completion():
    assert to_chat() == {
        "id": "msg_013Zva2CMHLNnjNjJKqJ2EF",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "claude",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi! My name is Claude. 👋", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 4195,
            "completion_tokens": 503,
            "total_tokens": 4698,
            "prompt_tokens_details": {"cached_tokens": 2000, "cache_write_tokens": 100},
        },
    }


def test_openais_completion_is_a_message():
    assert to_messages() == {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "type": "message",
        "role": "assistant",
        "model": "gpt-5.4",
        "content": [{"type": "text", "text": "Hello!"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 11,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 8,
            "output_tokens": 10,
            "output_tokens_details": {"thinking_tokens": 4},
        },
    }


def test_uses_are_calls_and_thinking_is_left_out():
    [choice] = to_chat(content=[THINKING, USE, USE | {"id": "t2", "input": {}}], stop_reason="tool_use")[
        "choices"
    ]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {
                "id": "toolu_01D7",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city":"Zürich"}'},
            },
            {"id": "t2", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
        ],
    }


def test_calls_are_uses():
    message = to_messages("tool_calls", {"content": "I look.", "tool_calls": [CALL, CALL | {"id": "f.x:1"}]})
    assert message["stop_reason"] == "tool_use"
    assert message["content"] == [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bern"}},
        {"type": "tool_use", "id": "f_x_1", "name": "weather", "input": {"city": "Bern"}},
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([], ""),
        ([THINKING], ""),
        ([{"type": "text", "text": ""}], ""),
        ([{"type": "text", "text": "a", "citations": []}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}], ""),
        ([{"type": "a_future_block", "text": "x"}, {"type": "text", "text": "b"}], "b"),
    ],
)
def test_text_blocks_are_one_text(content, text):
    assert to_chat(content=content)["choices"][0]["message"]["content"] == text


@pytest.mark.parametrize("content", [None, ""])
def test_no_text_is_no_block(content):
    assert to_messages(message={"content": content})["content"] == []


def test_anthropics_refusal_is_a_content_filter():
    why = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    [choice] = to_chat(content=[], stop_reason="refusal", stop_details=why)["choices"]
    assert (choice["finish_reason"], choice["message"]["refusal"]) == ("content_filter", "Not this.")


def test_openais_refusal_is_text():
    message = to_messages(message={"refusal": "I can't."})
    assert (message["content"], message["stop_reason"]) == ([{"type": "text", "text": "I can't."}], "refusal")


def test_a_named_call_that_ends_with_stop_is_tool_use():
    assert to_messages("stop", {"tool_calls": [CALL]})["stop_reason"] == "tool_use"


def test_a_provider_that_counts_nothing_is_read():
    assert to_messages(usage=None)["usage"]["output_tokens"] == 0
    assert to_chat(usage={})["usage"]["total_tokens"] == 0


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"id": 1}', b'{"type":"error","error":{}}', b"\xff"]
)
def test_what_is_no_reply_is_refused(body):
    with pytest.raises(Untranslatable, match="Anthropic's reply cannot be read"):
        messages_to_chat_reply(body, "claude", 0)
    with pytest.raises(Untranslatable, match="the chat completions reply cannot be read"):
        chat_to_messages_reply(body)


def test_a_completion_without_choices_is_refused():
    with pytest.raises(Untranslatable, match="'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT' has no choices"):
        to_messages(choices=[])


texts = st.text(min_size=1, max_size=20)
uses = st.builds(
    lambda id, city: USE | {"id": f"toolu_{id}", "input": {"city": city}},
    st.integers(0, 99),
    st.text(max_size=9),
)


@given(st.none() | texts, st.lists(uses, max_size=3))
def test_there_and_back_a_reply_is_the_same(text, calls):
    content = [*([{"type": "text", "text": text}] if text else []), *calls]
    stop = "tool_use" if calls else "end_turn"
    chat = to_chat(content=content, stop_reason=stop)
    message = json.loads(chat_to_messages_reply(json.dumps(chat).encode()))
    assert (message["id"], message["content"], message["stop_reason"]) == (MESSAGE["id"], content, stop)
    assert message["usage"].items() <= MESSAGE["usage"].items()

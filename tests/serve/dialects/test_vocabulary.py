from typing import get_args

import pytest
from anthropic.types import StopReason, Usage
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert
from openai.types import CompletionUsage
from openai.types.chat.chat_completion import Choice

from openflywheel.serve._dialects.vocabulary import (
    ChatUsage,
    MessagesUsage,
    chat_usage,
    finish_reason,
    messages_usage,
    stop_reason,
)

FINISH = get_args(Choice.model_fields["finish_reason"].annotation)
counts = st.none() | st.integers(0, 10**6)


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        (None, "stop"),
        ("something_new", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_why_anthropic_stopped(stop, finish):
    assert finish_reason(stop) == finish


@pytest.mark.parametrize(
    ("finish", "called", "refused", "stop"),
    [
        ("stop", False, False, "end_turn"),
        ("stop", True, False, "tool_use"),  # tool_choice named the function
        ("stop", False, True, "refusal"),
        ("length", True, False, "max_tokens"),
        ("tool_calls", True, False, "tool_use"),
        ("function_call", False, False, "tool_use"),
        ("content_filter", False, False, "refusal"),
        (None, False, False, "end_turn"),
        ("something_new", False, False, "end_turn"),
    ],
)
def test_why_openai_finished(finish, called, refused, stop):
    assert stop_reason(finish, called=called, refused=refused) == stop


def test_every_word_of_the_sdks_has_one_of_the_other():
    assert {finish_reason(stop) for stop in get_args(StopReason)} <= set(FINISH)
    assert {stop_reason(f, called=False, refused=False) for f in FINISH} <= set(get_args(StopReason))


def test_cached_tokens_are_part_of_openais_prompt_and_not_of_anthropics_input():
    usage = MessagesUsage(
        input_tokens=21, output_tokens=393, cache_creation_input_tokens=188, cache_read_input_tokens=2000
    )
    assert chat_usage(usage) == {
        "prompt_tokens": 2209,
        "completion_tokens": 393,
        "total_tokens": 2602,
        "prompt_tokens_details": {"cached_tokens": 2000, "cache_write_tokens": 188},
    }


def test_a_provider_that_counts_nothing_costs_nothing():
    assert messages_usage(None) == messages_usage(ChatUsage())
    assert set(messages_usage(None).values()) == {0}
    assert chat_usage(MessagesUsage())["total_tokens"] == 0


def test_more_cached_than_sent_is_no_negative_input():
    usage = convert({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}, ChatUsage)
    assert messages_usage(usage)["input_tokens"] == 0


@given(counts, counts, counts, counts, counts)
def test_there_and_back_nothing_is_lost(fresh, output, written, read, thinking):
    given_ = MessagesUsage(fresh, output, written, read)
    if thinking is not None:
        given_ = convert(
            {**_fields(given_), "output_tokens_details": {"thinking_tokens": thinking}}, MessagesUsage
        )
    chat = chat_usage(given_)
    CompletionUsage.model_validate(chat, strict=True)
    back = messages_usage(convert(chat, ChatUsage))
    Usage.model_validate(back, strict=True)
    assert [back["input_tokens"], back["output_tokens"]] == [fresh or 0, output or 0]
    assert [back["cache_creation_input_tokens"], back["cache_read_input_tokens"]] == [written or 0, read or 0]
    assert back.get("output_tokens_details", {}).get("thinking_tokens") == thinking


def _fields(usage: MessagesUsage) -> dict:
    return {field: getattr(usage, field) for field in usage.__struct_fields__}


def test_later_counts_replace_earlier_ones_and_silence_does_not():
    usage = MessagesUsage(input_tokens=25, output_tokens=1)
    usage.update(MessagesUsage(output_tokens=15))
    assert (usage.input_tokens, usage.output_tokens) == (25, 15)

"""What a provider answered, from the bytes of its reply."""

import json

import pytest

from openflywheel.serve._gateway import answered
from openflywheel.serve._gateway.asked import Said

ASKED = [Said("user", "12345678")]


def whole(**body):
    return answered.read(json.dumps(body).encode(), ASKED, stream=False)


def stream(*bodies, end=b""):
    frames = b"".join(b"data: " + json.dumps(body).encode() + b"\n\n" for body in bodies)
    return answered.read(frames + end, ASKED, stream=True)


def chunk(index=0, **delta):
    return {"id": "c", "choices": [{"index": index, "delta": delta}]}


def test_a_chat():
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    choices = [{"index": 0, "message": {"content": "yes"}}, {"index": 1, "message": {"content": "no"}}]
    found = whole(id="c1", choices=choices, usage=usage)
    assert (found.text, found.turn, found.reply) == ("yes", "yes", "c1")
    assert (found.input_tokens, found.output_tokens, found.estimated) == (3, 4, False)


def test_a_chat_that_calls_a_tool():
    call = {"id": "t1", "function": {"name": "f", "arguments": "{}"}}
    found = whole(choices=[{"message": {"content": None, "tool_calls": [call]}}])
    assert (found.text, found.turn) == ("f{}", "t1")
    opened = {"index": 0, "id": "t1", "function": {"name": "f", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": "{}"}}
    streamed = stream(chunk(tool_calls=[opened]), chunk(tool_calls=[more]))
    assert (streamed.text, streamed.turn) == ("f{}", "t1")


def test_a_refusal_is_said_but_not_sent_again():
    found = whole(choices=[{"message": {"content": None, "refusal": "no"}}])
    assert (found.text, found.turn) == ("no", "")


def test_a_message():
    content = [
        {"type": "text", "text": "hm"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
    ]
    usage = {"input_tokens": 3, "output_tokens": 4}
    found = whole(type="message", id="m1", content=content, usage=usage)
    assert (found.text, found.turn, found.reply) == ('hmf{"a": 1}', "hmt1", "m1")
    assert (found.input_tokens, found.output_tokens) == (3, 4)


def test_a_streamed_message():
    start = {
        "type": "message_start",
        "message": {"id": "m1", "usage": {"input_tokens": 9, "output_tokens": 1}},
    }
    block = {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "hello"}}
    tool = {"type": "content_block_start", "content_block": {"type": "tool_use", "id": "t1", "name": "f"}}
    part = {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{}"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}
    cut = stream(start, block, delta)
    assert (cut.text, cut.reply, cut.input_tokens, cut.output_tokens) == ("hello", "m1", 9, 2)
    assert cut.estimated, "the first event counts what was asked, not what is said"
    found = stream(start, block, delta, tool, part, end)
    assert (found.text, found.turn) == ("hello{}", "hellot1")
    assert (found.output_tokens, found.estimated) == (5, False)


def test_a_response():
    message = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
    call = {"type": "function_call", "call_id": "t1", "name": "f", "arguments": "{}"}
    assert whole(id="r", output=[{"type": "reasoning"}, message]).turn == "hi"
    assert whole(id="r", output=[call]).turn == "t1"
    assert whole(id="r", output=[message, call]).text == "hi{}"


def test_a_streamed_response():
    done = {
        "id": "r",
        "output": [{"content": [{"text": "hi"}]}],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    found = stream(
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_text.delta", "delta": "hi"},
        {"type": "response.reasoning_summary_text.delta", "delta": "thinking"},
        {"type": "response.completed", "response": done},
    )
    assert (found.text, found.turn, found.reply) == ("hi", "hi", "r")
    assert (found.input_tokens, found.output_tokens, found.estimated) == (1, 2, False)


def test_a_stream_without_usage_is_estimated():
    found = stream(
        chunk(content="12345"), chunk(content="6789"), chunk(1, content="other"), end=b"data: [DONE]\n\n"
    )
    assert (found.text, found.input_tokens, found.output_tokens) == ("123456789", 2, 3)
    assert found.estimated


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff\xfe", b'{"choices": 5}', b'"text"'])
def test_what_is_no_reply_has_no_text(body):
    found = answered.read(body, ASKED, stream=False)
    assert (found.text, found.input_tokens, found.output_tokens, found.estimated) == ("", 2, 0, True)


def test_half_a_surrogate_pair_loses_nothing_else():
    body = (
        rb'{"id": "c", "choices": [{"message": {"content": "a\ud83d"}}], "usage": {"completion_tokens": 7}}'
    )
    found = answered.read(body, ASKED, stream=False)
    assert (found.text, found.reply, found.output_tokens) == ("a\ufffd", "c", 7)


def test_an_event_that_is_no_json_is_passed_over():
    assert stream(chunk(content="a"), end=b"data: {broken\n\ndata: [DONE]\n\n").text == "a"

import json

import anthropic
import pytest
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from openflywheel.serve._dialects import ChatToMessagesStream, Events, Untranslatable, chat_to_messages_reply

EVENT = TypeAdapter(RawMessageStreamEvent)
ID = "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT"
USAGE = {
    "prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 8},
}  # fmt: skip
DONE = b"data: [DONE]\n\n"


def chunk(delta=None, finish=None, **more):
    choices = (
        [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    )
    base = {"id": ID, "object": "chat.completion.chunk", "created": 1694268190, "model": "gpt-5.4"}
    return base | {"choices": choices, "usage": None} | more


def call(index, arguments, id=None, **more):
    function = {"arguments": arguments} | ({"name": "weather"} if id else {})
    named = {"id": id, "type": "function"} if id else {}
    return chunk({"tool_calls": [{"index": index, **named, "function": function, **more}]})


def sse(*chunks):
    return b"".join(f"data: {json.dumps(c, ensure_ascii=False)}\n\n".encode() for c in chunks)


HELLO = (
    chunk({"role": "assistant", "content": "", "refusal": None}),
    chunk({"content": "Grüezi"}),
    chunk({"content": " 😀!"}),
    chunk({}, "stop"),
    chunk(usage=USAGE),
)
BUSY = (
    chunk(prompt_filter_results=[], id="", model=""),  # Azure begins with one of these
    chunk({"role": "assistant", "content": "I look.", "reasoning_content": "Hm."}),
    call(0, "", "call_1"),
    call(1, "", "call_2"),
    call(0, '{"city": "Zür'),
    call(1, '{"city":'),
    call(0, 'ich"}'),
    call(1, '"Bern"}'),
    chunk({"content": "Wait."}),
    chunk({}, "tool_calls"),
    chunk(usage=USAGE),
)


def translated(stream):
    return ChatToMessagesStream().feed(stream)


def events(answer):
    out = []
    for name, data in Events().feed(answer):
        EVENT.validate_json(data, strict=True)
        out.append(json.loads(data))
        assert out[-1]["type"] == name
    return out


def test_a_text_comes_piece_by_piece():
    assert events(translated(sse(*HELLO) + DONE)) == [
        {
            "type": "message_start",
            "message": {
                "id": ID, "type": "message", "role": "assistant", "model": "gpt-5.4", "content": [],
                "stop_reason": None, "stop_sequence": None,
                "usage": {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                          "output_tokens": 0},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Grüezi"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " 😀!"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"input_tokens": 11, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 8,
                      "output_tokens": 10},
        },
        {"type": "message_stop"},
    ]  # fmt: skip


def test_each_chunk_is_answered_at_once():
    stream = ChatToMessagesStream()
    assert [bool(stream.feed(sse(c))) for c in HELLO] == [True, True, True, False, False]
    assert not stream.finished
    assert stream.feed(DONE)
    assert stream.finished


def told(answer):
    """What each block says, by its index: (id or type, text)."""
    said: dict[int, list[str]] = {}
    for event in events(answer):
        if event["type"] == "content_block_start":
            assert event["index"] == len(said)
            block = event["content_block"]
            said[event["index"]] = [block.get("id", block["type"]), ""]
        elif event["type"] == "content_block_delta":
            said[event["index"]][1] += event["delta"].get("text") or event["delta"].get("partial_json")
    return [tuple(block) for block in said.values()]


def test_interleaved_calls_keep_apart():
    assert told(translated(sse(*BUSY) + DONE)) == [
        ("text", "I look."),
        ("call_1", '{"city": "Zürich"}'),
        ("call_2", '{"city":"Bern"}'),
        ("text", "Wait."),
    ]


@pytest.mark.parametrize("stream", [HELLO, BUSY])
def test_every_block_that_begins_ends_once_and_says_nothing_afterwards(stream):
    begun, ended = set(), set()
    for event in events(translated(sse(*stream) + DONE)):
        if event["type"] == "content_block_start":
            begun.add(event["index"])
        elif event["type"].startswith("content_block"):
            assert event["index"] in begun - ended
        if event["type"] == "content_block_stop":
            ended.add(event["index"])
    assert begun == ended


def test_a_new_id_at_the_same_index_is_a_new_call():
    stream = sse(call(0, "{}", "call_1"), call(0, "{}", "call_2"))
    assert told(translated(stream + DONE)) == [("call_1", "{}"), ("call_2", "{}")]


def test_an_id_that_is_repeated_is_the_same_call():
    stream = sse(call(0, '{"a"', "functions.f:0"), call(0, ":1}", "functions.f:0"))
    assert told(translated(stream + DONE)) == [("functions_f_0", '{"a":1}')]


def test_a_call_without_an_index_is_the_first():
    stream = sse(chunk({"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}))
    assert told(translated(stream + DONE)) == [("c", "{}")]


@pytest.mark.parametrize(
    "call",
    [
        {"index": 0, "function": {"name": "f"}},
        {"index": 0, "id": "c", "function": {}},
        {"index": 0, "id": "c"},
    ],
)
def test_a_call_without_id_or_name_is_refused(call):
    with pytest.raises(
        Untranslatable, match="the tool call at index 0 of a stream begins without id or name"
    ):
        translated(sse(chunk({"tool_calls": [call]})))


def last(answer):
    return next(e for e in events(answer) if e["type"] == "message_delta")


def test_a_refusal_is_text():
    stream = sse(chunk({"refusal": "I "}), chunk({"refusal": "can't."}), chunk({}, "stop")) + DONE
    assert told(translated(stream)) == [("text", "I can't.")]
    assert last(translated(stream))["delta"]["stop_reason"] == "refusal"


def test_a_named_call_that_ends_with_stop_is_tool_use():
    stream = sse(call(0, "{}", "c"), chunk({}, "stop")) + DONE
    assert last(translated(stream))["delta"]["stop_reason"] == "tool_use"


def test_a_provider_that_never_counts_costs_nothing():
    assert set(last(translated(sse(*HELLO[:-1]) + DONE))["usage"].values()) == {0}


def test_the_last_count_is_the_truth():
    early = chunk({"content": "x"}, usage=USAGE | {"completion_tokens": 1})
    assert last(translated(sse(early, *HELLO) + DONE))["usage"]["output_tokens"] == 10


def test_other_choices_are_left_out():
    other = {"index": 1, "delta": {"content": "other"}, "finish_reason": None}
    stream = sse(*HELLO[:2], chunk(choices=[other]), *HELLO[2:]) + DONE
    assert told(translated(stream)) == [("text", "Grüezi 😀!")]


def test_a_stream_that_says_nothing_is_an_empty_message():
    assert [e["type"] for e in events(translated(DONE))] == ["message_start", "message_delta", "message_stop"]


def test_an_error_ends_it():
    error = {"error": {"message": "Slow down", "type": "tokens", "code": "rate_limit_exceeded"}}
    stream = ChatToMessagesStream()
    [*_, (name, data)] = Events().feed(stream.feed(sse(*HELLO[:2], error, *HELLO) + DONE))
    assert name == "error"
    assert json.loads(data) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Slow down"},
    }
    assert not stream.finished
    assert stream.feed(DONE) == b""


def test_a_stream_that_was_cut_off_is_not_finished():
    stream = ChatToMessagesStream()
    stream.feed(sse(*HELLO))
    assert not stream.finished


def test_nothing_is_said_after_the_end():
    assert translated(sse(*HELLO) + DONE + sse(*HELLO) + DONE) == translated(sse(*HELLO) + DONE)


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"choices":[{"delta":{"content":1}}]}', b"\xff"])
def test_a_chunk_of_another_shape_is_refused(data):
    with pytest.raises(Untranslatable, match="a chunk of the chat completions stream cannot be read"):
        translated(b"data: " + data + b"\n\n")


@given(
    st.sampled_from([HELLO, BUSY]),
    st.sampled_from([b"\n", b"\r\n"]),
    st.lists(st.integers(0, 5000), max_size=40),
)
def test_any_split_gives_the_same_bytes(pieces, chunks, end, places):
    wire = (sse(*chunks) + DONE).replace(b"\n", end)
    stream = ChatToMessagesStream()
    assert b"".join(map(stream.feed, pieces(wire, places))) == translated(sse(*chunks) + DONE)
    assert stream.finished


def test_byte_by_byte_gives_the_same_bytes():
    stream = ChatToMessagesStream()
    wire = sse(*BUSY) + DONE
    assert b"".join(stream.feed(bytes([byte])) for byte in wire) == translated(wire)


def test_the_sdk_reads_the_stream_as_it_reads_the_whole(serving):
    calls = [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Zürich"}'},
        },
        {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}},
    ]
    message = {"role": "assistant", "content": "I look.", "tool_calls": calls}
    completion = chunk() | {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    whole = json.loads(chat_to_messages_reply(json.dumps(completion | {"usage": USAGE}).encode()))
    said = [c for c in BUSY if c["choices"] == [] or c["choices"][0]["delta"].get("content") != "Wait."]
    with (
        serving(translated(sse(*said) + DONE)) as url,
        anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as client,
        client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]
        ) as stream,
    ):
        read = stream.get_final_message().to_dict()
    assert {key: read[key] for key in whole} == whole


def test_the_sdk_raises_an_error_in_the_middle(serving):
    error = {"error": {"message": "Slow down", "type": "tokens", "code": "rate_limit_exceeded"}}
    with (
        serving(translated(sse(*HELLO[:2], error))) as url,
        anthropic.Anthropic(base_url=url, api_key="k", max_retries=0) as client,
        client.messages.create(model="m", max_tokens=9, messages=[], stream=True) as stream,
        pytest.raises(anthropic.APIStatusError, match="Slow down"),
    ):
        list(stream)

import json

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from openflywheel.serve._dialects import Events, MessagesToChatStream, Untranslatable, messages_to_chat_reply


def sse(*events):
    return "".join(
        f"event: {e['type']}\ndata: {json.dumps(e, ensure_ascii=False)}\n\n" for e in events
    ).encode()  # fmt: skip


def start(**usage):
    counted = {"input_tokens": 25, "output_tokens": 1} | usage
    message = {
        "id": "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", "type": "message", "role": "assistant", "content": [],
        "model": "claude-opus-5-5", "stop_reason": None, "stop_sequence": None, "usage": counted,
    }  # fmt: skip
    return {"type": "message_start", "message": message}


def begin(index, **block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index, **said):
    return {"type": "content_block_delta", "index": index, "delta": said}


def stop(index):
    return {"type": "content_block_stop", "index": index}


def use(index, id):
    return begin(index, type="tool_use", id=id, name="weather", input={})


def partial(index, json_text):
    return delta(index, type="input_json_delta", partial_json=json_text)


def end(reason="end_turn", output=15, **more):
    said = {"stop_reason": reason, "stop_sequence": None} | more
    return {"type": "message_delta", "delta": said, "usage": {"output_tokens": output}}, {
        "type": "message_stop"
    }


HELLO = (
    start(),
    begin(0, type="text", text=""),
    {"type": "ping"},
    delta(0, type="text_delta", text="Grüezi"),
    delta(0, type="text_delta", text=" 😀!"),
    stop(0),
    *end(),
)
# Thinking, text and two calls whose arguments are interleaved; a third takes none.
BUSY = (
    start(cache_read_input_tokens=10, cache_creation_input_tokens=5),
    begin(0, type="thinking", thinking="", signature=""),
    delta(0, type="thinking_delta", thinking="Let me see."),
    delta(0, type="signature_delta", signature="EqQBCgIYAhIM1gbcDa9GJwZA2b3h"),
    stop(0),
    begin(1, type="text", text=""),
    delta(1, type="text_delta", text="I look."),
    delta(1, type="citations_delta", citation={"type": "char_location"}),
    stop(1),
    use(2, "toolu_1"),
    use(3, "toolu_2"),
    partial(2, ""),
    partial(2, '{"city": "Zür'),
    partial(3, '{"city":'),
    partial(2, 'ich"}'),
    stop(2),
    partial(3, '"Bern"}'),
    stop(3),
    use(4, "toolu_3"),
    partial(4, ""),
    stop(4),
    {"type": "a_future_event", "index": "not a number", "delta": "nor an object"},
    begin(5, type="server_tool_use", id="s", name="web_search", input={}),
    partial(5, '{"query":"x"}'),
    stop(5),
    *end("tool_use", 89),
)


def translated(stream, include_usage=False):
    return MessagesToChatStream("claude", 1700000000, include_usage).feed(stream)


def chunks(answer):
    """The chunks of a stream that has ended properly."""
    *said, (_, done) = Events().feed(answer)
    assert done == b"[DONE]"
    for _, data in said:
        ChatCompletionChunk.model_validate_json(data, strict=True)
    return [json.loads(data) for _, data in said]


def deltas(answer):
    return [choice["delta"] for chunk in chunks(answer) for choice in chunk["choices"]]


def test_a_text_comes_piece_by_piece():
    said = chunks(translated(sse(*HELLO)))
    assert [c["choices"][0]["delta"] for c in said] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Grüezi"},
        {"content": " 😀!"},
        {},
    ]
    assert [c["choices"][0]["finish_reason"] for c in said] == [None, None, None, "stop"]
    assert {(c["id"], c["created"], c["model"], "usage" in c) for c in said} == {
        ("msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", 1700000000, "claude", False)
    }


def test_each_event_is_answered_at_once():
    stream = MessagesToChatStream("claude", 0)
    answers = [stream.feed(sse(event)) for event in HELLO]
    assert [bool(answer) for answer in answers] == [True, False, False, True, True, False, False, True]
    assert stream.finished


def test_usage_comes_in_a_chunk_of_its_own_when_it_is_asked_for():
    *said, last = chunks(translated(sse(*BUSY), include_usage=True))
    assert {c["usage"] for c in said} == {None}
    assert last["choices"] == []
    assert last["usage"] == {
        "prompt_tokens": 40,
        "completion_tokens": 89,
        "total_tokens": 129,
        "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
    }


def test_interleaved_calls_keep_apart():
    calls = [d["tool_calls"][0] for d in deltas(translated(sse(*BUSY))) if "tool_calls" in d]
    assert [(c["index"], c["id"], c["function"]["name"]) for c in calls if "id" in c] == [
        (0, "toolu_1", "weather"),
        (1, "toolu_2", "weather"),
        (2, "toolu_3", "weather"),
    ]
    spoken = ["", "", ""]
    for c in calls:
        spoken[c["index"]] += c["function"]["arguments"]
    assert spoken == ['{"city": "Zürich"}', '{"city":"Bern"}', "{}"]


def test_thinking_is_left_out():
    assert "".join(d.get("content") or "" for d in deltas(translated(sse(*BUSY)))) == "I look."


def test_text_that_comes_with_its_block_is_said():
    stream = sse(start(), begin(0, type="text", text="Hi"), stop(0), *end())
    assert {"content": "Hi"} in deltas(translated(stream))


def test_a_refusal_says_why():
    why = {"type": "refusal", "category": None, "explanation": "Not this."}
    [*_, last] = chunks(translated(sse(start(), *end("refusal", stop_details=why))))
    assert last["choices"][0]["finish_reason"] == "content_filter"
    assert last["choices"][0]["delta"] == {"refusal": "Not this."}


def test_an_error_ends_it():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    stream = MessagesToChatStream("claude", 0)
    [_, (_, data)] = Events().feed(stream.feed(sse(start(), error, *HELLO[1:])))
    assert json.loads(data)["error"] == {
        "message": "Overloaded", "type": "server_error", "param": None, "code": "overloaded_error",
    }  # fmt: skip
    assert not stream.finished
    assert stream.feed(sse(*HELLO)) == b""


def test_a_stream_that_was_cut_off_is_not_finished():
    stream = MessagesToChatStream("claude", 0)
    stream.feed(sse(*HELLO)[:-1])
    assert not stream.finished
    assert stream.feed(b"\n").endswith(b"data: [DONE]\n\n")
    assert stream.finished


def test_nothing_is_said_after_the_end():
    assert translated(sse(*HELLO, *HELLO)) == translated(sse(*HELLO))


@pytest.mark.parametrize("data", [b"{", b"{}", b'{"index":"a","delta":{}}', b"\xff"])
def test_an_event_of_another_shape_is_refused(data):
    with pytest.raises(Untranslatable, match="an event of Anthropic's stream cannot be read"):
        translated(b"event: content_block_delta\ndata: " + data + b"\n\n")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_every_line_end_is_read(end):
    stream = sse(*BUSY).decode().replace("\n", end).encode()
    assert translated(stream) == translated(sse(*BUSY))


@given(
    st.sampled_from([HELLO, BUSY]),
    st.sampled_from(["\n", "\r\n"]),
    st.lists(st.integers(0, 5000), max_size=40),
)
def test_any_split_gives_the_same_bytes(pieces, events, end, places):
    wire = sse(*events).decode().replace("\n", end).encode()
    stream = MessagesToChatStream("claude", 0, include_usage=True)
    assert b"".join(map(stream.feed, pieces(wire, places))) == translated_at_zero(events)
    assert stream.finished


def translated_at_zero(events):
    return MessagesToChatStream("claude", 0, include_usage=True).feed(sse(*events))


def test_byte_by_byte_gives_the_same_bytes():
    stream = MessagesToChatStream("claude", 0, include_usage=True)
    assert b"".join(stream.feed(bytes([byte])) for byte in sse(*BUSY)) == translated_at_zero(BUSY)


def test_the_sdk_reads_the_stream_as_it_reads_the_whole(serving):
    content = [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Zürich"}},
        {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "Bern"}},
        {"type": "tool_use", "id": "toolu_3", "name": "weather", "input": {}},
    ]
    counted = BUSY[0]["message"]["usage"] | {"output_tokens": 89}
    message = BUSY[0]["message"] | {"content": content, "stop_reason": "tool_use", "usage": counted}
    whole = json.loads(messages_to_chat_reply(json.dumps(message).encode(), "claude", 1700000000))
    with (
        serving(translated(sse(*BUSY), include_usage=True)) as url,
        openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client,
        client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "x"}]) as stream,
    ):
        read = stream.get_final_completion()
    assert plain(read.to_dict()) == plain(whole)


def plain(completion):
    """What a completion says; the SDK's helper adds parsed arguments, and an index to each call."""
    [choice] = completion["choices"]
    calls = [
        (c["id"], c["function"]["name"], json.loads(c["function"]["arguments"]))
        for c in choice["message"]["tool_calls"]
    ]
    same = [completion[key] for key in ("id", "model", "created", "usage")]
    return [*same, choice["message"]["content"], choice["finish_reason"], calls]


def test_the_sdk_raises_an_error_in_the_middle(serving):
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with (
        serving(translated(sse(*HELLO[:4], error))) as url,
        openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client,
        client.chat.completions.create(model="m", messages=[], stream=True) as stream,
        pytest.raises(openai.APIError, match="Overloaded"),
    ):
        list(stream)

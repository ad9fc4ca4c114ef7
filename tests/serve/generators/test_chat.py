"""Chat completions before a model in Python."""

import json

import msgspec
import pytest

from openflywheel.serve._generators import chat

ASKED = {"model": "m1", "messages": [{"role": "user", "content": "hello"}]}


def question(**more) -> chat.Question:
    return chat.decode(json.dumps(ASKED | more).encode())


def test_messages_are_plain():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    asked = question(messages=[{"role": "system", "content": None}, {"role": "user", "content": parts}])
    assert [m.plain() for m in asked.messages] == [
        {"role": "system", "content": ""}, {"role": "user", "content": "ab"},
    ]  # fmt: skip


def test_a_picture_is_refused():
    asked = question(messages=[{"role": "user", "content": [{"type": "image_url"}]}])
    with pytest.raises(ValueError, match="reads texts, not 'image_url'"):
        asked.messages[0].plain()


@pytest.mark.parametrize(
    ("said", "most"),
    [({}, 256), ({"max_tokens": 5}, 5), ({"max_tokens": 5, "max_completion_tokens": 7}, 7)],
)
def test_the_limit(said, most):
    assert question(**said).most_tokens == most


def test_what_it_does_not_know_does_not_matter():
    assert question(temperature=0.7, seed=1, flywheel={}).model == "m1"


def test_no_request():
    with pytest.raises(msgspec.ValidationError):
        chat.decode(b'{"model": "m1"}')


def test_the_whole_answer():
    said = json.loads(chat.whole(question(), "hi"))
    assert (said["object"], said["model"]) == ("chat.completion", "m1")
    assert said["choices"][0]["message"] == {"role": "assistant", "content": "hi"}


def test_the_stream():
    *events, done = b"".join(chat.stream(question(), "hi")).decode().strip().split("\n\n")
    deltas = [json.loads(event.removeprefix("data: "))["choices"][0] for event in events]
    assert [d["delta"].get("content") for d in deltas] == ["hi", None]
    assert deltas[-1]["finish_reason"] == "stop"
    assert done == "data: [DONE]"


def test_errors():
    assert json.loads(chat.error(400, "no"))["error"]["type"] == "invalid_request_error"
    assert json.loads(chat.error(500, "no"))["error"]["type"] == "server_error"

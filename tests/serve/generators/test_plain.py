"""Requests without special tokens."""

import json

import pytest

from openflywheel.base.instruments.special import special
from openflywheel.serve._generators.plain import plain, special_of

FOUND = special(["<|end|>", "<|user|>"])


def cleaned(**body) -> dict:
    return json.loads(plain(json.dumps(body).encode(), FOUND))


def test_every_text_of_a_chat():
    parts = [{"type": "text", "text": "a<|end|>b"}, {"type": "image_url", "image_url": {"url": "x"}}]
    call = {"id": "c1", "function": {"name": "f", "arguments": '{"q": "<|user|>"}'}}
    messages = [
        {"role": "system", "content": "be kind<|end|>"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    said = cleaned(messages=messages)["messages"]
    assert said[0]["content"] == "be kind "
    assert said[1]["content"] == [{"type": "text", "text": "a b"}, parts[1]]
    assert said[2]["content"] is None
    assert said[2]["tool_calls"][0]["function"]["arguments"] == '{"q": " "}'


def test_however_it_is_written_in_json():
    body = b'{"messages": [{"role": "user", "content": "a\\u003c|end|\\u003eb"}]}'
    assert json.loads(plain(body, FOUND))["messages"][0]["content"] == "a b"


def test_responses():
    assert cleaned(input="a<|end|>", instructions="<|user|>b") == {"input": "a ", "instructions": " b"}


def test_everything_else_stays_byte_for_byte():
    body = b'{"model":"<|end|>","stop":["<|end|>"],"temperature":1.0,"seed":123456789012345678901234567890}'
    assert plain(body, FOUND) == body


def test_the_names_stand_in_the_bases_tokenizer(tmp_path, write):
    tokens = [{"content": "<|end|>", "special": True}, {"content": "<think>", "special": False}]
    write(tmp_path / "base" / "tokenizer.json", {"added_tokens": tokens})
    for path in ("base", str(tmp_path / "base")):
        assert special_of({"path": path}, tmp_path).findall("<think>a<|end|>") == ["<|end|>"]


@pytest.mark.parametrize("base", [{"name": "tiny"}, {"path": "base"}, {"hub": "nobody/nothing"}])
def test_a_tokenizer_that_is_not_here(base, tmp_path):
    assert special_of(base, tmp_path) is None

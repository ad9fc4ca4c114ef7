"""What a client asks, from the bytes of its request."""

import json

import msgspec
import pytest

from openflywheel.serve._gateway import asked
from openflywheel.serve._gateway.asked import Said


def read(**fields):
    return asked.read(json.dumps({"model": "m", **fields}).encode())


def test_the_fields_that_matter():
    found = read(stream=True, n=3, user="ann", unknown={"a": 1})
    assert (found.model, found.stream, found.n, found.user) == ("m", True, 3, "ann")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"model": 5}', b'{"model": "m", "stream": 1}', b"\xff"]
)
def test_what_is_no_request(body):
    with pytest.raises(asked.UNREADABLE):
        asked.read(body)


def test_our_field_knows_its_own():
    with pytest.raises(msgspec.ValidationError, match="subjekt"):
        read(flywheel={"subjekt": "ann"})


def test_only_the_model_is_patched():
    body = b'{ "temperature": 1.50, "model":"a", "big": 12345678901234567890123, "flywheel": {}, "e": 1e400 }'
    assert asked.patched(body, 'b"c') == (
        b'{"temperature":1.50,"model":"b\\"c","big":12345678901234567890123,"e":1e400}'
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hello", "hello"),
        ([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}, {"text": "b"}], "ab"),
        (None, ""),
        ({"odd": 1}, ""),
        ([], ""),
    ],
)
def test_the_text_of_a_message(content, text):
    assert asked.conversation(read(messages=[{"role": "user", "content": content}])) == [Said("user", text)]


def test_an_input_is_a_conversation_too():
    assert asked.conversation(read(input="hello")) == [Said("user", "hello")]
    assert asked.conversation(read(input=[{"role": "user", "content": "hello"}])) == [Said("user", "hello")]


def test_calls_of_tools_count_by_their_ids():
    chat = [{"role": "assistant", "content": "hm", "tool_calls": [{"id": "c1", "function": {}}]}]
    messages = [{"role": "assistant", "content": [{"type": "text", "text": "hm"}, {"type": "t", "id": "c1"}]}]
    responses = [{"type": "reasoning", "id": "r"}, {"type": "function_call", "id": "x", "call_id": "c1"}]
    assert asked.conversation(read(messages=chat)) == [Said("assistant", "hmc1")]
    assert asked.conversation(read(messages=messages)) == [Said("assistant", "hmc1")]
    assert asked.conversation(read(input=responses)) == [Said("assistant", "c1")]


@pytest.mark.parametrize("messages", ["hello there", 5, [5], [{"role": 5}], None, ["a", "b"]])
def test_an_unknown_shape_carries_no_messages(messages):
    found = asked.conversation(read(messages=messages))
    assert found == ([Said("user", "hello there")] if isinstance(messages, str) else [])


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        (rb'"a\ud83d"', rb'"a\ufffd"'),
        (rb'"\ude00b"', rb'"\ufffdb"'),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"'),
        (rb'"\\ud83d \" \n \u00e9"', rb'"\\ud83d \" \n \u00e9"'),
        (b'"a\xff\xc3\xa9"', '"a\ufffdé"'.encode()),
    ],
)
def test_what_is_half_a_character_is_mended(broken, whole):
    assert asked.mended(broken) == whole
    assert msgspec.json.decode(whole)


def test_the_question_is_the_newest_that_a_person_wrote():
    turns = [Said("user", "a"), Said("assistant", "b"), Said("user", "c"), Said("tool", "d")]
    assert asked.question(turns) == "c"
    assert asked.question([Said("system", "x")]) == ""


def test_what_stands_beside_the_question():
    alone = [Said("user", "a")]
    assert asked.beside(read(), alone) == ""
    history = [Said("system", "s"), Said("user", "a"), Said("assistant", "b"), Said("user", "c")]
    assert asked.beside(read(), history) == "s\na\nb"
    assert asked.beside(read(flywheel={"variables": {"k": "v"}}), alone) == "v"
    assert asked.beside(read(prompt={"variables": {"k": "v"}}), alone) == "v"


def test_an_episode_is_the_same_for_all_its_requests():
    first = [Said("system", "s"), Said("user", "a")]
    second = [*first, Said("assistant", "b"), Said("user", "c")]
    third = [*second, Said("assistant", "d"), Said("user", "e")]
    names = {
        asked.episode(first, "b", "ann"),
        asked.episode(second, "d", "ann"),
        asked.episode(third, "f", "ann"),
    }
    assert len(names) == 1
    assert asked.episode(first, "b", "bob") not in names
    assert asked.episode(first, "x", "ann") not in names


@pytest.mark.parametrize(
    ("fields", "person"),
    [
        ({}, ""),
        ({"user": "a"}, "a"),
        ({"safety_identifier": "b", "user": "a"}, "b"),
        ({"metadata": {"user_id": "c"}}, "c"),
        ({"metadata": {"user_id": 5}}, ""),
        ({"metadata": [1]}, ""),
        ({"metadata": None}, ""),
        ({"flywheel": {"subject": "d"}, "user": "a"}, "d"),
    ],
)
def test_who_asks(fields, person):
    assert asked.subject(read(**fields)) == person


@pytest.mark.parametrize(
    ("fields", "variables"),
    [
        ({}, {}),
        ({"flywheel": {"variables": {"a": "1"}}, "prompt": {"variables": {"b": "2"}}}, {"a": "1"}),
        ({"prompt": {"variables": {"b": "2", "c": {"d": 1}}}}, {"b": "2", "c": '{"d":1}'}),
        ({"prompt": {"variables": None}}, {}),
        ({"prompt": {"variables": [1]}}, {}),
        ({"prompt": "text"}, {}),
    ],
)
def test_variables(fields, variables):
    assert asked.variables(read(**fields)) == variables

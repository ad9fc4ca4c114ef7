import json

import pytest

from openflywheel.serve._fake.script import Rule, ToolCall
from openflywheel.serve._fake.talk import (
    Ask,
    Call,
    Message,
    Part,
    Tool,
    heard,
    pieces,
    reply,
    text_of,
    tokens,
)

SCHEMA = {"properties": {"x": {"type": "integer"}}}
ASK = Ask(model="m", text="hello", characters=9)
WITH_TOOL = Ask(model="m", text="hello", tools=[Tool("f", SCHEMA), Tool("g", {})], must_call="")


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("ä" * 8, 2)])
def test_pieces_are_tokens(text, count):
    assert tokens(len(text)) == len(pieces(text)) == count
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("a", "a"),
        ([], ""),
        ([Part("a"), Part(), Part("b")], "ab"),
        ([Part(content=[Part("a")]), Part(content="b")], "ab"),
    ],
)
def test_the_text_of_a_content(content, text):
    assert text_of(content) == text


def test_the_last_user_message_is_heard():
    messages = [Message("user", "1"), Message("user", "2"), Message("assistant", "3"), Message("tool", "4")]
    assert heard(messages) == "2"
    assert heard(messages[2:]) == ""


def test_an_answer_echoes_and_is_counted():
    given = reply(ASK, Rule(), "7")
    assert (given.text, given.call, given.complete, given.id) == ("Echo: hello", None, True, "7")
    assert (given.input_tokens, given.output_tokens) == (3, 3)


@pytest.mark.parametrize(
    ("limit", "text", "complete"), [(0, "", False), (2, "Echo: he", False), (3, "Echo: hello", True)]
)
def test_a_limit_is_in_tokens(limit, text, complete):
    given = reply(Ask(model="m", text="hello", limit=limit), Rule(), "7")
    assert (given.text, given.complete, given.output_tokens) == (text, complete, limit)


def test_a_told_answer_is_given_even_if_empty():
    assert reply(ASK, Rule(answer="no"), "7").text == "no"
    assert reply(ASK, Rule(answer=""), "7").text == ""


def test_a_wanted_schema_is_followed_unless_an_answer_is_told():
    ask = Ask(model="m", schema=SCHEMA)
    assert json.loads(reply(ask, Rule(), "7").text) == {"x": 1}
    assert reply(ask, Rule(answer="not json"), "7").text == "not json"


def test_the_first_tool_is_called_when_any_must_be():
    given = reply(WITH_TOOL, Rule(), "7")
    assert (given.text, given.call) == ("", Call("f", '{"x":1}'))
    assert given.output_tokens == 2  # f{"x":1}: 8 characters


def test_nothing_can_be_called_without_tools():
    assert reply(Ask(model="m", must_call=""), Rule(), "7").call is None


def test_a_told_call_needs_no_tool():
    assert reply(ASK, Rule(tool_call=ToolCall(name="h", arguments={"a": [1]})), "7").call == Call(
        "h", '{"a":[1]}'
    )
    assert reply(ASK, Rule(tool_call=ToolCall(name="h")), "7").call == Call("h", "{}")
    assert reply(WITH_TOOL, Rule(tool_call=ToolCall(name="f")), "7").call == Call("f", '{"x":1}')


def test_an_id_can_be_repeated():
    assert reply(ASK, Rule(repeat_id=True), "7").id == reply(ASK, Rule(repeat_id=True), "8").id

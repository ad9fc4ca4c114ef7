import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.serve._dialects import tools
from openflywheel.serve._dialects.errors import Untranslatable
from openflywheel.serve._dialects.tools import Call, ChatChoice, ChatTool, MessagesChoice, MessagesTool

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Zürich"]}},
    "required": ["city"],
}
CHAT = {
    "type": "function",
    "function": {"name": "weather", "description": "Today", "parameters": SCHEMA, "strict": True},
}
MESSAGES = {"name": "weather", "description": "Today", "input_schema": SCHEMA, "strict": True}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def plain(value):
    return json.loads(msgspec.json.encode(value))


def decoded(value, kind):
    return msgspec.json.decode(json.dumps(value), type=kind)


def test_a_tool_is_the_same_in_both_dialects():
    assert plain(tools.to_messages_tool(decoded(CHAT, ChatTool))) == MESSAGES
    assert plain(tools.to_chat_tool(decoded(MESSAGES, MessagesTool))) == CHAT


@pytest.mark.parametrize("parameters", [{}, {"parameters": None}, {"parameters": {}}])
def test_a_function_without_parameters_takes_an_object(parameters):
    tool = {"type": "function", "function": {"name": "now", **parameters}}
    assert plain(tools.to_messages_tool(decoded(tool, ChatTool))) == {
        "name": "now",
        "input_schema": {"type": "object"},
    }


def test_a_schema_is_passed_on_as_it_is_written():
    text = b'{"name":"n","input_schema":{"type":"object","maximum":1e400,"pattern":"\\u00e9\\/"}}'
    tool = msgspec.json.decode(text, type=MessagesTool)
    assert b'"maximum":1e400,"pattern":"\\u00e9\\/"' in msgspec.json.encode(tools.to_chat_tool(tool))


def test_tools_of_other_kinds_are_refused():
    with pytest.raises(Untranslatable, match="tool of type 'custom' has no counterpart"):
        tools.to_messages_tool(decoded({"type": "custom", "custom": {"name": "x"}}, ChatTool))
    with pytest.raises(
        Untranslatable, match="'web_search' of type 'web_search_20250305' runs only on Anthropic"
    ):
        tools.to_chat_tool(decoded({"type": "web_search_20250305", "name": "web_search"}, MessagesTool))
    assert tools.to_chat_tool(decoded({"type": "custom", "name": "x"}, MessagesTool))["type"] == "function"


CHOICES = [
    ("auto", {"type": "auto"}),
    ("required", {"type": "any"}),
    ("none", {"type": "none"}),
    ({"type": "function", "function": {"name": "weather"}}, {"type": "tool", "name": "weather"}),
]


@pytest.mark.parametrize(("chat", "messages"), CHOICES)
@pytest.mark.parametrize("parallel", [None, True, False])
def test_who_chooses_the_tool(chat, messages, parallel):
    choice = decoded(chat, str | ChatChoice)
    one = {"disable_parallel_tool_use": True} if parallel is False and chat != "none" else {}
    assert tools.to_messages_choice(choice, parallel) == messages | one
    assert tools.to_chat_choice(decoded(messages | one, MessagesChoice)) == chat


def test_one_call_at_a_time_needs_no_choice():
    assert tools.to_messages_choice(None, False) == {"type": "auto", "disable_parallel_tool_use": True}
    assert tools.to_messages_choice(None, None) == tools.to_messages_choice(None, True) == {}


@pytest.mark.parametrize(
    "choice",
    ["maybe", {"type": "allowed_tools", "allowed_tools": {}}, {"type": "custom"}, {"type": "function"}],
)
def test_an_unknown_choice_is_refused(choice):
    with pytest.raises(
        Untranslatable, match="has no counterpart in the Messages API; choices: auto, required"
    ):
        tools.to_messages_choice(decoded(choice, str | ChatChoice), None)


def test_an_unknown_choice_of_anthropics_is_refused():
    with pytest.raises(Untranslatable, match="'some' is none of the Messages API's choices: auto, any"):
        tools.to_chat_choice(MessagesChoice("some"))


def call(arguments, id="call_1", **more):
    return decoded({"id": id, "function": {"name": "f", "arguments": arguments}, **more}, Call)


@given(st.dictionaries(st.text(max_size=5), values, max_size=3))
def test_arguments_survive_both_ways(arguments):
    [block] = tools.tool_uses([call(json.dumps(arguments))])
    assert plain(block)["input"] == arguments
    back = tools.tool_call(block["id"], block["name"], block["input"])
    assert json.loads(back["function"]["arguments"]) == arguments


@pytest.mark.parametrize("arguments", ["", " ", "{}"])
def test_no_arguments_are_an_empty_object(arguments):
    [block] = tools.tool_uses([call(arguments)])
    assert block == {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}


@pytest.mark.parametrize("arguments", ["{", "[1]", "3", "null", '{"a":}', "city=Bern"])
def test_arguments_that_are_no_object_are_refused(arguments):
    with pytest.raises(Untranslatable, match="the arguments of the tool call 'call_1' cannot be read"):
        tools.tool_uses([call(arguments)])


def test_calls_of_other_kinds_are_refused():
    with pytest.raises(Untranslatable, match="'c' of type 'custom' has no counterpart"):
        tools.tool_uses([Call("c", "custom")])


def test_ids_get_the_letters_that_anthropic_allows():
    assert tools.anthropic_id("functions.weather:0") == "functions_weather_0"
    assert tools.anthropic_id("toolu_01A-b") == "toolu_01A-b"

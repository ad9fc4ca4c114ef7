"""Tools that a model may call, and its calls, in both dialects."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from openflywheel.serve._dialects.errors import Untranslatable, read

_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_OBJECT = msgspec.json.Decoder(dict[str, Raw])


class Function(Struct):
    """Of an OpenAI tool; without parameters it takes none."""

    name: str
    description: str | None = None
    parameters: dict[str, Raw] | None = None
    strict: bool | None = None


class ChatTool(Struct):
    """A tool of an OpenAI request."""

    type: str
    function: Function | None = None


class ToolName(Struct):
    """The function that tool_choice names."""

    name: str


class ChatChoice(Struct):
    """OpenAI's tool_choice when it is no word."""

    type: str
    function: ToolName | None = None


class CalledFunction(Struct):
    """Of an OpenAI tool call: the arguments are JSON in a string."""

    name: str
    arguments: str = ""


class Call(Struct):
    """A tool call of an OpenAI assistant."""

    id: str
    type: str = "function"
    function: CalledFunction | None = None


class MessagesTool(Struct):
    """A tool of an Anthropic request; one with another type than `custom` runs on Anthropic's servers."""

    name: str
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Raw] = {}
    strict: bool | None = None


class MessagesChoice(Struct):
    """Anthropic's tool_choice."""

    type: str
    name: str = ""
    disable_parallel_tool_use: bool | None = None


def anthropic_id(id: str) -> str:
    """A call's id in the letters that Anthropic allows: some servers write functions.weather:0."""
    return _NOT_IN_AN_ID.sub("_", id)


def to_messages_tool(tool: ChatTool) -> dict[str, Any]:
    """OpenAI's tool as Anthropic's."""
    if tool.type != "function" or not tool.function:
        raise Untranslatable(
            f"a tool of type {tool.type!r} has no counterpart in the Messages API; use function"
        )
    function = tool.function
    return {
        "name": function.name,
        **({"description": function.description} if function.description else {}),
        "input_schema": {"type": "object", **(function.parameters or {})},
        **({"strict": True} if function.strict else {}),
    }


def to_chat_tool(tool: MessagesTool) -> dict[str, Any]:
    """Anthropic's tool as OpenAI's."""
    if tool.type not in (None, "custom"):
        raise Untranslatable(f"the tool {tool.name!r} of type {tool.type!r} runs only on Anthropic's servers")
    function = {
        "name": tool.name,
        **({"description": tool.description} if tool.description else {}),
        "parameters": tool.input_schema,
        **({"strict": True} if tool.strict else {}),
    }
    return {"type": "function", "function": function}


def to_messages_choice(choice: str | ChatChoice | None, parallel: bool | None) -> dict[str, Any]:
    """tool_choice of Anthropic, {} when OpenAI's request left it open."""
    one: dict[str, Any] = {"disable_parallel_tool_use": True} if parallel is False else {}
    match choice:
        case None:
            return {"type": "auto", **one} if one else {}
        case "auto":
            return {"type": "auto", **one}
        case "required":
            return {"type": "any", **one}
        case "none":
            return {"type": "none"}
        case ChatChoice(type="function", function=ToolName(name)):
            return {"type": "tool", "name": name, **one}
    kind = choice if isinstance(choice, str) else choice.type
    raise Untranslatable(
        f"tool_choice {kind!r} has no counterpart in the Messages API; choices: auto, required, none, named"
    )


def to_chat_choice(choice: MessagesChoice) -> str | dict[str, Any]:
    """tool_choice of OpenAI."""
    if choice.type == "tool":
        return {"type": "function", "function": {"name": choice.name}}
    words = {"auto": "auto", "any": "required", "none": "none"}
    if choice.type not in words:
        raise Untranslatable(
            f"tool_choice {choice.type!r} is none of the Messages API's choices: auto, any, tool, none"
        )
    return words[choice.type]


def tool_uses(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """OpenAI's calls as Anthropic's tool_use blocks."""
    return [_tool_use(call) for call in calls]


def _tool_use(call: Call) -> dict[str, Any]:
    if call.type != "function" or not call.function:
        raise Untranslatable(
            f"the tool call {call.id!r} of type {call.type!r} has no counterpart; use function"
        )
    what = f"the arguments of the tool call {call.id!r}"
    input = read(_OBJECT, call.function.arguments.strip().encode() or b"{}", what)
    return {"type": "tool_use", "id": anthropic_id(call.id), "name": call.function.name, "input": input}


def tool_call(id: str, name: str, input: dict[str, Raw]) -> dict[str, Any]:
    """Anthropic's tool_use block as OpenAI's call."""
    function = {"name": name, "arguments": msgspec.json.encode(input).decode()}
    return {"id": id, "type": "function", "function": function}
